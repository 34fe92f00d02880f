"""params.yaml is validated before anything runs: one line, the nearest name, exit code 2."""

import re
from pathlib import Path
from typing import Any

import pytest
from dvc.utils.hydra import apply_overrides
from dvc.utils.serialize import modify_yaml
from ruamel.yaml import YAML
from typer.testing import CliRunner

from cifar_pipeline import check_params as check_params_module
from cifar_pipeline.check_params import check_content, check_params, main
from cifar_pipeline.common.console import command_app
from cifar_pipeline.common.errors import ParamsError, PipelineError
from cifar_pipeline.common.memory import Memory
from cifar_pipeline.network import memory
from cifar_pipeline.params.download import TRACKED
from cifar_pipeline.params.presets import load_model
from closure import ROOT
from params_files import SHIPPED, written
from params_strategies import ODD_NAMES
from picture_folders import write_pictures


def test_the_shipped_file_is_valid() -> None:
    check_params(ROOT / "params.yaml")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"trian": {}}, "trian is not a known section, did you mean 'train'?"),
        ({"train.sede": 1}, "train.sede is not a known parameter, did you mean 'seed'?"),
        ({"train.seed": ...}, "train.seed is missing"),
        ({"train.seed": "one"}, "train.seed: input should be a valid integer"),
        ({"train.model": "fsat"}, "no preset 'fsat' under models, did you mean 'fast'?"),
        (
            {"models.fast.block1.filter": 3},
            "models.fast.block1.filter is not a known parameter, did you mean 'filters'?",
        ),
        (
            {"models.fast.block1.filters": 1_000_000},
            "models.fast.block1.filters: input should be less than or equal to 16384, got 1000000",
        ),
        ({"models.fast.block1.filters": 0}, "models.fast.block1.filters: input should be greater"),
        ({"models.fast.block7": SHIPPED["models"]["fast"]["block1"]}, "block4"),
        ({"models.fast.head.poling": "max"}, "did you mean 'pooling'?"),
        (
            {"models.fast.optimizer.momentun": 0.5},
            "models.fast.optimizer.momentun is not a known parameter, did you mean 'momentum'?",
        ),
        ({"models.fast.optimizer.name": "moun"}, "no choice 'moun', did you mean 'muon'?"),
        ({"models.baseline.schedule.decay_rate": ...}, "models.baseline.schedule.decay_rate is"),
        ({"models.baseline.epochs": -1}, "models.baseline.epochs"),
        ({"models.fast.optimizer.learning_rate": float("nan")}, "finite"),
        ({"download.sha256": {"test_batch.bin": "0" * 64}}, "download.sha256"),
        ({"train.seed": "1"}, "train.seed: input should be a valid integer"),
        (
            {"models.fast.whitening": "yes"},
            "models.fast.whitening: input should be False, True, 8, 16 or 24",
        ),
        ({"models.fast.whitening": 15}, "models.fast.whitening: input should be False, True"),
        (
            {"models.fast.flip_equivariant": False},
            "models.fast.flip_equivariant was removed in 0.2.0; delete that line",
        ),
        ({"models.fast.block2.pooling": 99}, "block2 leaves no pixels of maps 15x15"),
        ({"models.fast.blocks": {}}, "blocks"),
        (
            {"download.image_size": ..., "download.fit": ...},
            "download lacks keys that dvc.yaml tracks; add `image_size: 32`, `fit: crop`",
        ),
        (
            {"models.fast.block2.shortcut": True, "models.fast.block2.convolutions": 1},
            "block2: a shortcut passes convolutions over: set convolutions to 2 or more",
        ),
        (
            {"models.fast.block2.shortcut": True, "models.fast.block2.padding": "valid"},
            "block2: a shortcut needs maps that keep their size: set padding to same",
        ),
        (
            {"models.fast.early_stopping.start_from_epoch": 99},
            "start_from_epoch (99) must be below",
        ),
        (
            {"models.fast.validation_freq": 0},
            "models.fast.validation_freq: input should be greater than or equal to 1",
        ),
        (
            {"preprocess.validation_images": 49_991},
            "preprocess.validation_images = 49991 is impossible with 50,000 images of 10 classes, "
            "the smallest 'airplane' with 5,000; expected 10 to 49990, or a share such as 0.1",
        ),
        *(
            (
                {f"preprocess.{key}": value},
                f"preprocess.{key}: expected a number of images, 1 or more, or a share of them "
                f"between 0 and 1, as 0.1, got {value!r}",
            )
            for key in ("validation_images", "test_images")
            for value in (0, -5, True, 0.0, 1.0, 5000.0, "0.1", None)
        ),
        ({"models.fast.class_weight": "equal"}, "models.fast.class_weight: input should be 'none'"),
        ({"models": {}}, "no preset 'fast' under models"),
        ({"evaluate": 3}, "evaluate must be a mapping"),
        ({"preprocess": ...}, "preprocess is missing"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ParamsError) as caught:
        check_params(written(tmp_path, changes))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    "changes",
    [
        {"preprocess.validation_images": 49_990},
        {"preprocess.validation_images": 5001},
        {"preprocess.validation_images": 0.1, "preprocess.test_images": 100},
        {"preprocess.test_images": ...},
        {"models.fast.class_weight": ...},
    ],
)
def test_what_may_be_written(tmp_path: Path, changes: dict[str, Any]) -> None:
    check_params(written(tmp_path, changes))


def test_every_key_of_download_that_dvc_tracks_has_to_stand_there() -> None:
    tracked = YAML(typ="safe").load(ROOT / "dvc.yaml")["stages"]["download"]["params"]
    assert tracked == ["download.sha256", *(f"download.{key}" for key in TRACKED)]


def test_other_pictures_than_the_digest_s_are_noticed(tmp_path: Path) -> None:
    """DVC sees the digest alone, and would say that nothing has changed."""
    folder = tmp_path / "pictures"
    write_pictures(folder)
    source = {"download.source": str(folder), "preprocess.validation_images": 3}
    with pytest.raises(PipelineError, match="SHA-256") as caught:
        check_params(written(tmp_path, source))
    (digest,) = re.findall("SHA-256 ([0-9a-f]{64})", str(caught.value))
    path = written(tmp_path, {**source, "download.sha256": {"pictures": digest}})
    check_params(path)
    (folder / "train/dog/0.png").unlink()
    with pytest.raises(PipelineError, match="SHA-256"):
        check_params(path)


@pytest.mark.parametrize("content", ["a: [", "- 1\n- 2\n", "", "\x00", "a: 2026-13-45"])
def test_a_file_that_is_no_mapping_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "params.yaml"
    path.write_text(content)
    with pytest.raises(ParamsError) as caught:
        check_params(path)
    assert str(path) in str(caught.value)


def test_the_command_prints_one_line_and_exits_with_2(tmp_path: Path) -> None:
    path = written(tmp_path, {"train.model": "fsat"})
    result = CliRunner().invoke(command_app(main), ["--params", str(path)])
    assert result.exit_code == 2
    assert result.stderr.startswith("error: ")
    assert len(result.stderr.strip().splitlines()) == 1


def test_one_value_of_a_preset_can_be_overridden(tmp_path: Path) -> None:
    path = written(tmp_path, {"models.fast.block1.filters": 64})
    assert load_model(path, "fast").blocks["block1"].filters == 64


def test_dvc_writes_params_as_they_are_laid_out(tmp_path: Path) -> None:
    """`dvc exp run -S` writes the file anew: what it did not change should look unchanged."""
    path = tmp_path / "params.yaml"
    path.write_bytes((ROOT / "params.yaml").read_bytes())
    with modify_yaml(str(path)) as content:
        content["train"]["seed"] = 7
    shipped, written = ((ROOT / "params.yaml"), path)
    before, after = (each.read_text().splitlines() for each in (shipped, written))
    assert [line for line in after if line not in before] == ["  seed: 7"]
    assert len(after) == len(before)


@pytest.mark.parametrize("name", [name for name in ODD_NAMES if name != 10**30])
def test_a_name_of_a_preset_that_dvc_cannot_address_is_refused(tmp_path: Path, name: Any) -> None:
    content = {**SHIPPED, "models": {**SHIPPED["models"], name: SHIPPED["models"]["fast"]}}
    with pytest.raises(ParamsError, match="DVC cannot address a preset of this name") as caught:
        check_content(content, tmp_path / "params.yaml")
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("name", ["fast2", "Fast-2", "_x", "on", "x-", "e5", "truer"])
def test_dvc_addresses_a_preset_whose_name_is_accepted(tmp_path: Path, name: str) -> None:
    content = {**SHIPPED, "models": {name: SHIPPED["models"]["fast"]}}
    content["train"] = {**SHIPPED["train"], "model": name}
    path = tmp_path / "params.yaml"
    check_content(content, path)
    with path.open("w") as file:
        YAML().dump(content, file)
    apply_overrides(path, [f"models.{name}.epochs=9", f"train.model={name}"])
    read = YAML(typ="safe").load(path)
    assert read["models"][name]["epochs"] == 9
    assert read["train"]["model"] == name


def test_a_training_that_takes_too_much_memory_is_said_or_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "params.yaml"
    monkeypatch.setattr(check_params_module, "GPU_DRIVERS", ())
    for gigabytes, said in ((16, ""), (2, "warning: "), (0.5, "refused")):
        free = Memory(int(gigabytes * 1e9), int(gigabytes * 1e9), 0, False)
        monkeypatch.setattr(memory, "available_memory", lambda free=free: free)
        if said == "refused":
            with pytest.raises(ParamsError, match=r"fast.block2.filters: about 1.7 GB .* 0.5 GB"):
                check_content(SHIPPED, path)
        else:
            check_content(SHIPPED, path)
            assert capsys.readouterr().err.startswith(said)
    monkeypatch.setattr(check_params_module, "GPU_DRIVERS", (tmp_path,))  # there is a GPU
    check_content(SHIPPED, path)
    assert not capsys.readouterr().err
