"""params.yaml itself: its size, what DVC's writer leaves of it, and that DVC can set every key.

DVC refuses `-S KEY=...` for a key that does not stand in the file.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dvc.exceptions import InvalidArgumentError
from dvc.utils.hydra import apply_overrides
from dvc.utils.serialize import modify_yaml
from ruamel.yaml import YAML

from cifar_pipeline.params.presets import load_model
from closure import ROOT

FILE = ROOT / "params.yaml"
SHIPPED = YAML(typ="safe", pure=True).load(FILE.read_text())["models"]
# Keys with an off value that people's commands set: no preset may leave them out.
SET_BY_PEOPLE = {
    *("whitening", "hardest_share", "class_weight", "validation_freq", "label_smoothing"),
    *(f"blockN.{key}" for key in ("pooling", "dropout", "batch_normalization", "shortcut")),
    *(f"head.{key}" for key in ("dense_units", "dropout", "logit_scale")),
    *(f"augmentation.{key}" for key in ("flip", "translate", "cutout")),
    *("optimizer.weight_decay", "optimizer.lookahead", "schedule.warmup"),
}


def leaves(content: dict[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the dotted name and the value of each key that holds a value."""
    for key, value in content.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{before}{key}.")
        else:
            yield f"{before}{key}", value


def other(value: Any) -> Any:
    """Return another value of the type of `value`."""
    if isinstance(value, str):
        return f"{value}_"
    return not value if isinstance(value, bool) else value + 1


@pytest.fixture
def path(tmp_path: Path) -> Path:
    copy = tmp_path / "params.yaml"
    copy.write_bytes(FILE.read_bytes())
    return copy


def test_a_page_or_four_of_short_lines() -> None:
    lines = FILE.read_text().splitlines()
    assert len(lines) <= 300
    assert max(map(len, lines)) <= 100


def test_dvc_leaves_the_file_as_it_is(path: Path) -> None:
    with modify_yaml(str(path)):
        pass
    by_dvc = "from dvc.utils.serialize import modify_yaml\nwith modify_yaml('params.yaml'): pass"
    assert path.read_text() == FILE.read_text(), (
        f'DVC wraps other lines. Let it write the file: python -c "{by_dvc}"'
    )


def test_an_override_changes_its_line_alone(path: Path) -> None:
    apply_overrides(path, ["models.fast.block2.filters=128", "models.best.optimizer.lookahead=5"])
    before, after = FILE.read_text().splitlines(), path.read_text().splitlines()
    assert len(before) == len(after)
    different = [pair for pair in zip(before, after, strict=True) if pair[0] != pair[1]]
    (filters, narrower), (lookahead, sooner) = different
    assert narrower == filters.replace("block2: {filters: 256", "block2: {filters: 128")
    assert sooner == lookahead.replace("lookahead: 10", "lookahead: 5")


def test_every_key_of_every_preset_can_be_set(path: Path) -> None:
    changed = {f"models.{name}": other(value) for name, value in leaves(SHIPPED)}
    assert len(changed) > 300
    apply_overrides(path, [f"{name}={str(value).lower()}" for name, value in changed.items()])
    written = YAML(typ="safe", pure=True).load(path.read_text())["models"]
    assert {f"models.{name}": value for name, value in leaves(written)} == changed


@pytest.mark.parametrize("name", SHIPPED)
def test_no_preset_lacks_a_key_that_people_set(name: str) -> None:
    """Nothing lacks the other keys of before: they have no off value, so they are required."""
    known = load_model(FILE, name).model_dump()
    known |= known.pop("blocks")
    lacking = {key for key, _ in leaves(known)} - {key for key, _ in leaves(SHIPPED[name])}
    lacking = {key for key in lacking if of_any_block(key) in SET_BY_PEOPLE}
    assert not lacking, f"models.{name} of params.yaml lacks {', '.join(sorted(lacking))}"


def of_any_block(key: str) -> str:
    return re.sub(r"^block\d+", "blockN", key)


def test_a_key_that_the_file_lacks_cannot_be_set(path: Path) -> None:
    """As the tests above suppose."""
    with pytest.raises(InvalidArgumentError):
        apply_overrides(path, ["models.fast.block1.nonsense=1"])
