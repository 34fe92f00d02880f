"""The processed arrays and class names: what preprocess leaves, and train and evaluate read."""

import json
from pathlib import Path

import numpy as np

from cifar_pipeline.common.checksums import check_manifest
from cifar_pipeline.dataset.npy_files import open_for_reading

SPLITS = ("train", "validation", "test")
CLASSES = "classes.json"


def array_names(split: str) -> tuple[str, str]:
    """Return the file names of the images and the labels of a split."""
    return f"{split}_images.npy", f"{split}_labels.npy"


def load_class_names(folder: Path, stage: str = "preprocess") -> tuple[str, ...]:
    """Return the names of the classes in label order, once verified; errors as `load_split`.

    Args:
        folder: the one that `stage` wrote.
        stage: download writes them for a user's own images.
    """
    check_manifest(folder, [CLASSES], stage)
    return tuple(json.loads((folder / CLASSES).read_text(encoding="utf-8")))


def load_labels(folder: Path, split: str) -> np.ndarray:
    """Return a split's labels, uint8 (N,), once verified; errors as `load_split`."""
    _, labels = array_names(split)
    check_manifest(folder, [labels], "preprocess")
    return np.load(folder / labels)


def load_split(folder: Path, split: str) -> tuple[np.ndarray, np.ndarray]:
    """Return a split's images, uint8 (N, H, W, 3), and labels, uint8 (N,), once verified.

    The images stay in their file, which may be larger than memory.

    Raises:
        PipelineError: a file is missing or is not what the manifest says.
    """
    images, labels = array_names(split)
    check_manifest(folder, [images, labels], "preprocess")
    return open_for_reading(folder / images), np.load(folder / labels)
