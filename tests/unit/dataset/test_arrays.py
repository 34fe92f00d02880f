"""Arrays that the stages share."""

from pathlib import Path

import numpy as np
import pytest

from cifar_pipeline.common.checksums import write_manifest
from cifar_pipeline.common.errors import PipelineError
from cifar_pipeline.dataset.arrays import load_split
from cifar_pipeline.params.preprocess import PreprocessParams
from cifar_pipeline.preprocess.stage import preprocess
from synthetic import flip_last_bit, write_raw


def test_a_corrupt_array_is_named_and_not_read(tmp_path: Path) -> None:
    write_raw(tmp_path / "raw")
    preprocess(
        tmp_path / "raw", tmp_path / "processed", PreprocessParams(validation_images=20, seed=3)
    )
    flip_last_bit(tmp_path / "processed/train_images.npy")
    with pytest.raises(PipelineError, match=r"train_images\.npy is corrupt"):
        load_split(tmp_path / "processed", "train")
    load_split(tmp_path / "processed", "validation")


def test_a_label_without_a_class_is_refused(tmp_path: Path) -> None:
    write_raw(tmp_path / "raw")
    folder = tmp_path / "processed"
    preprocess(tmp_path / "raw", folder, PreprocessParams(validation_images=20, seed=3))
    np.save(folder / "test_labels.npy", np.full(20, 200, np.uint8))
    write_manifest(folder)
    with pytest.raises(PipelineError, match="it holds the label 200, and there are 10 classes"):
        load_split(folder, "test")
