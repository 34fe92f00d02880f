"""From what download left to arrays: train, validation and test."""

import json
from pathlib import Path

from cifar_pipeline.common.atomic import replacing, require_writable, writing
from cifar_pipeline.common.checksums import MANIFEST, check_manifest, read_manifest, write_manifest
from cifar_pipeline.dataset.arrays import CLASSES, SPLITS, array_names
from cifar_pipeline.dataset.binary_format import TEST_BATCH, TRAIN_BATCHES, read_batches
from cifar_pipeline.dataset.channel_statistics import (
    STATISTICS,
    channel_statistics,
    write_statistics,
)
from cifar_pipeline.dataset.cifar10 import CLASS_NAMES
from cifar_pipeline.dataset.image_set import IMAGE_SET
from cifar_pipeline.dataset.npy_files import open_for_reading, write_array
from cifar_pipeline.params.preprocess import PreprocessParams
from cifar_pipeline.preprocess.hold_out import hold_out
from cifar_pipeline.preprocess.own_images import write_own_splits


def preprocess(raw: Path, processed: Path, params: PreprocessParams) -> dict[str, int]:
    """Write the arrays of the three splits, the statistics of train and the manifest.

    Args:
        raw: folder of download.
        processed: folder to write to; made when missing.
        params: the sizes of what is held out, and the seed.

    Returns:
        The number of images of each split.

    Raises:
        PipelineError: a file is missing, corrupt or malformed, or the hold-out is impossible.
    """
    # What stands beside them and in no manifest belongs to an earlier download.
    files = sorted(read_manifest(raw, "download"))
    check_manifest(raw, files, "download")
    written = [CLASSES, STATISTICS, MANIFEST, *(n for split in SPLITS for n in array_names(split))]
    bytes_read = [(raw / name).stat().st_size for name in files]
    require_writable(processed, *written, sizes=bytes_read)
    with writing(processed):
        write = write_own_splits if IMAGE_SET in files else _write_cifar_splits
        sizes = write(raw, processed, params)
        images, _ = array_names("train")
        write_statistics(processed, channel_statistics(open_for_reading(processed / images)))
        write_manifest(processed)
    return sizes


def _write_cifar_splits(raw: Path, processed: Path, params: PreprocessParams) -> dict[str, int]:
    images, labels = read_batches(raw, TRAIN_BATCHES)
    train, validation = hold_out(labels, CLASS_NAMES, params.validation_images, params.seed)
    splits = {
        "train": (images[train], labels[train]),
        "validation": (images[validation], labels[validation]),
        "test": read_batches(raw, (TEST_BATCH,)),
    }
    for split, arrays in splits.items():
        for name, array in zip(array_names(split), arrays, strict=True):
            with replacing(processed / name) as temporary:
                write_array(temporary, array)
    with replacing(processed / CLASSES) as temporary:
        temporary.write_text(json.dumps(CLASS_NAMES, indent=2) + "\n", encoding="utf-8")
    return {split: len(arrays[1]) for split, arrays in splits.items()}
