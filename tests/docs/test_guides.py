"""What the guides show is what happens: edits of params.yaml, and the results of `predict`."""

import io
import json
import subprocess
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from cifar_pipeline.evaluate.thresholds import OperatingPoint
from cifar_pipeline.images.paths import PictureError
from cifar_pipeline.predict.output import print_csv, print_json
from cifar_pipeline.predict.predictor import OodCheck, Prediction
from closure import ROOT
from documents import inline_code, tokens, typed_lines

GUIDES = ROOT / "docs/guides"
PREDICTION = Prediction(
    "horse.png",
    (("horse", 0.9),),
    0.5,
    OodCheck(
        -1.0,
        OperatingPoint(
            temperature=0.5,
            score="norm_and_distance",
            threshold=-3.0,
            target_false_alarm_rate=0.01,
            validation_images=5000,
            false_alarm_rate=0.01,
            test_images=10_000,
            model_sha256="0" * 64,
        ),
    ),
)


def flat(content: Any, before: str = "") -> dict[str, Any]:
    """Return the plain values of nested mappings by their dotted names."""
    if not isinstance(content, dict):
        return {before.removesuffix("."): content}
    found: dict[str, Any] = {}
    for key, value in content.items():
        found |= flat(value, f"{before}{key}.")
    return found


def edits(guide: str) -> list[str]:
    """Return the commands of a guide that edit params.yaml."""
    blocks = [token.content for token in tokens(GUIDES / guide) if token.type == "fence"]
    lines = [line for block in blocks for line in typed_lines(block)]
    return [line for line in lines if line.startswith("sed ")]


@pytest.mark.parametrize(
    ("guide", "expected"),
    [("compare-branches.md", {"models.fast.block1.filters": 32})],
)
def test_an_edit_of_params_changes_what_it_says(
    guide: str, expected: dict[str, Any], tmp_path: Path
) -> None:
    path = tmp_path / "params.yaml"
    path.write_bytes((ROOT / "params.yaml").read_bytes())
    before = flat(YAML(typ="safe").load(path))
    for edit in edits(guide):
        subprocess.run(["bash", "-c", edit], cwd=tmp_path, check=True)
    after = flat(YAML(typ="safe").load(path))
    assert before.keys() <= after.keys()
    assert {key: value for key, value in after.items() if before.get(key) != value} == expected


def test_every_field_of_predict_is_documented() -> None:
    documented = set(inline_code(GUIDES / "predict.md"))
    outcomes = [PREDICTION, PictureError("cut.png", "is cut off")]
    with redirect_stdout(io.StringIO()) as printed:
        print_json(iter(outcomes))
    for found in json.loads(printed.getvalue()):
        nested = [each for each in found.values() if isinstance(each, dict)]
        assert set(found).union(*nested, *found["classes"]) <= documented
    with redirect_stdout(io.StringIO()) as printed:
        print_csv(iter(outcomes), 1)
    assert set(printed.getvalue().splitlines()[0].split(",")) <= documented
