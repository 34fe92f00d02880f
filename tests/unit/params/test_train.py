"""The section `train` and its preset: flips can be switched off for every preset."""

from pathlib import Path

import pytest

from cifar_pipeline.common.errors import ParamsError
from cifar_pipeline.params.presets import load_model
from cifar_pipeline.params.train import TrainParams, load_training
from cifar_pipeline.train.fingerprint import params_digest
from params_files import SHIPPED, written


@pytest.mark.parametrize("changes", [{}, {"train.flip": ...}])
def test_a_preset_flips_as_it_says(tmp_path: Path, changes: dict[str, object]) -> None:
    path = written(tmp_path, changes)
    choices, model = load_training(path)
    assert choices == TrainParams(model="fast", seed=1)
    assert model == load_model(path, "fast")
    assert model.augmentation.flip == "alternating"


@pytest.mark.parametrize("name", SHIPPED["models"])
def test_one_key_switches_flips_off_in_every_preset(tmp_path: Path, name: str) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    model = load_training(
        written(tmp_path / "a", {"train.model": name, "train.flip": "none"})
    ).model
    by_hand = load_model(
        written(tmp_path / "b", {f"models.{name}.augmentation.flip": "none"}), name
    )
    assert model.augmentation.flip == "none"
    # A training that one of them began, the other goes on with.
    assert params_digest(model, 1, "float32") == params_digest(by_hand, 1, "float32")


def test_another_value_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ParamsError, match=r"train\.flip: input should be 'preset' or 'none'"):
        load_training(written(tmp_path, {"train.flip": "random"}))
