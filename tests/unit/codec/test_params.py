"""codec/params.yaml: what is wrong in it is said in one line."""

from pathlib import Path

import pytest
from ruamel.yaml import YAML

from cifar_pipeline.codec.params import BaselinePreset, CodecPreset, Recipe, load_preset
from cifar_pipeline.common.errors import ParamsError
from closure import ROOT
from codec_trainings import preset

SHIPPED = ROOT / "codec/params.yaml"


def write(path: Path, **changes: object) -> Path:
    """Write parameters with one preset `tiny`, which has `changes`."""
    values = preset().model_dump() | changes
    content = {"train": {"model": "tiny", "seed": 1}, "models": {"tiny": values}}
    YAML(typ="safe", pure=True).dump(content, path)
    return path


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"epochs": 0}, "models.tiny.epochs: input should be greater than or equal to 1, got 0"),
        ({"epoch": 3}, "models.tiny.epoch is not a known parameter, did you mean 'epochs'"),
        (
            {"network": preset().network.model_dump() | {"channels": 193}},
            r"channels \(193\) must be at most the 192 components of blocks of 8 pixels",
        ),
        (
            {"network": preset().network.model_dump() | {"lambda_min": 1.0}},
            r"lambda_min \(1\) must be below lambda_max \(0.1\)",
        ),
    ],
)
def test_a_wrong_value_is_said(tmp_path: Path, changes: dict[str, object], message: str) -> None:
    with pytest.raises(ParamsError, match=message):
        load_preset(write(tmp_path / "params.yaml", **changes), "train", CodecPreset)


def test_a_preset_that_is_not_there_is_said(tmp_path: Path) -> None:
    path = write(tmp_path / "params.yaml")
    path.write_text(path.read_text().replace("model: tiny", "model: tinny"))
    with pytest.raises(ParamsError, match="no preset 'tinny' under models, did you mean 'tiny'"):
        load_preset(path, "train", CodecPreset)


@pytest.mark.parametrize(
    ("section", "schema"), [("train", CodecPreset), ("baseline", BaselinePreset)]
)
def test_the_shipped_presets_are_valid(section: str, schema: type[Recipe]) -> None:
    assert load_preset(SHIPPED, section, schema)[1].epochs > 1
