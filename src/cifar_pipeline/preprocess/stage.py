"""From batch files to arrays: train, validation and test."""

import json
from pathlib import Path

import numpy as np

from cifar_pipeline.common.atomic import replacing, writing
from cifar_pipeline.common.checksums import check_manifest, read_manifest, write_manifest
from cifar_pipeline.dataset.arrays import CLASSES, array_names
from cifar_pipeline.dataset.binary_format import (
    CLASS_NAMES_FILE,
    TEST_BATCH,
    TRAIN_BATCHES,
    read_batches,
    read_class_names,
)
from cifar_pipeline.dataset.channel_statistics import channel_statistics, write_statistics
from cifar_pipeline.dataset.cifar10 import CLASS_NAMES
from cifar_pipeline.params.preprocess import PreprocessParams
from cifar_pipeline.preprocess.hold_out import hold_out


def _write_array(path: Path, array: np.ndarray) -> None:
    with replacing(path) as temporary:
        np.save(temporary, array, allow_pickle=False)


def preprocess(raw: Path, processed: Path, params: PreprocessParams) -> dict[str, int]:
    """Write the arrays of the three splits, the statistics of train and the manifest.

    Args:
        raw: folder with the batch files, perhaps the names of the classes, and their manifest.
        processed: folder to write to; made when missing.
        params: the size of the hold-out and its seed.

    Returns:
        The number of images of each split.

    Raises:
        PipelineError: a batch file is missing, corrupt or malformed, or the hold-out is impossible.
    """
    files = sorted(read_manifest(raw, "download"))
    check_manifest(raw, files, "download")
    # What stands beside them and in no manifest belongs to an earlier download.
    own = CLASS_NAMES_FILE in files
    names = read_class_names(raw / CLASS_NAMES_FILE) if own else CLASS_NAMES
    batches = tuple(name for name in files if name in TRAIN_BATCHES)
    images, labels = read_batches(raw, batches, len(names))
    train, validation = hold_out(labels, names, params.validation_images, params.seed)
    splits = {
        "train": (images[train], labels[train]),
        "validation": (images[validation], labels[validation]),
        "test": read_batches(raw, (TEST_BATCH,), len(names)),
    }
    with writing(processed):
        processed.mkdir(parents=True, exist_ok=True)
        for split, arrays in splits.items():
            for name, array in zip(array_names(split), arrays, strict=True):
                _write_array(processed / name, array)
        with replacing(processed / CLASSES) as temporary:
            temporary.write_text(json.dumps(names, indent=2) + "\n", encoding="utf-8")
        write_statistics(processed, channel_statistics(splits["train"][0]))
        write_manifest(processed)
    return {split: len(arrays[1]) for split, arrays in splits.items()}
