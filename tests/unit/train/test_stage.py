"""The stage `train`: what it refuses, and its last line."""

import json
from pathlib import Path

import numpy as np
import pytest

from cifar_pipeline.common.checksums import write_manifest
from cifar_pipeline.common.errors import ParamsError, PipelineError
from cifar_pipeline.common.memory import Memory
from cifar_pipeline.dataset.arrays import CLASSES, array_names
from cifar_pipeline.dataset.channel_statistics import channel_statistics, write_statistics
from cifar_pipeline.dataset.cifar10 import CLASS_NAMES
from cifar_pipeline.network import memory
from cifar_pipeline.train import stage
from cifar_pipeline.train.stage import train
from synthetic import synthetic_split
from training_runs import recipe


def lay_out(processed: Path, images: np.ndarray, labels: np.ndarray) -> None:
    """Write what preprocess leaves for train; the validation images are the training images."""
    processed.mkdir()
    for split in ("train", "validation"):
        for name, array in zip(array_names(split), (images, labels), strict=True):
            np.save(processed / name, array)
    (processed / CLASSES).write_text(json.dumps(CLASS_NAMES))
    write_statistics(processed, channel_statistics(images))
    write_manifest(processed)


def test_images_of_one_and_the_same_colour_are_refused(tmp_path: Path) -> None:
    images = np.full((60, 32, 32, 3), (10, 20, 30), np.uint8)
    lay_out(tmp_path / "processed", images, np.arange(60, dtype=np.uint8) % 10)
    with pytest.raises(PipelineError, match=r"processed has the same colour, \(10, 20, 30\)") as at:
        train(tmp_path / "processed", tmp_path, tmp_path, recipe("quick"), 1)
    assert "\n" not in str(at.value)
    assert not list(tmp_path.glob("model.keras"))


@pytest.mark.trains
@pytest.mark.parametrize("learns", [True, False])
def test_the_last_line_says_so_if_nothing_was_learnt(
    learns: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    images, labels = synthetic_split(60, 0)
    if not learns:
        images[:] = images[:1]
    lay_out(tmp_path / "processed", images, labels)
    params = recipe("quick").model_copy(update={"epochs": 4})
    train(tmp_path / "processed", tmp_path, tmp_path, params, 3, "quick")
    *_, before, last = capsys.readouterr().out.splitlines()
    if learns:
        assert last.startswith("kept epoch ")
        return
    assert before.startswith("kept epoch ")
    assert last.startswith("warning: the model is no better than chance on the 60 validation")
    assert "`dvc exp run -S models.quick.whitening=false`" in last


def test_a_preset_that_takes_far_too_much_memory_is_refused_before_it_is_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lay_out(tmp_path / "processed", *synthetic_split(60, 0))
    monkeypatch.setattr(stage, "computes_on_gpu", lambda: False)
    monkeypatch.setattr(memory, "available_memory", lambda: Memory(10**8, 10**8, 0, True))
    with pytest.raises(ParamsError, match=r"models.quick.block1.filters: about 0.9 GB .* is 0.1"):
        train(tmp_path / "processed", tmp_path, tmp_path, recipe("quick"), 1, "quick")


def test_memory_that_is_refused_later_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise MemoryError

    lay_out(tmp_path / "processed", *synthetic_split(60, 0))
    monkeypatch.setattr(stage, "fit", refused)
    with pytest.raises(PipelineError, match=r"out of memory; lower models.quick.batch_size"):
        train(tmp_path / "processed", tmp_path, tmp_path, recipe("quick"), 1, "quick")
