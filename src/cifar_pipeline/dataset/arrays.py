"""The processed arrays and class names: what preprocess leaves, and train and evaluate read."""

from pathlib import Path

import numpy as np
from pydantic import TypeAdapter

from cifar_pipeline.common.checksums import HEAL, check_manifest, reading
from cifar_pipeline.common.errors import PipelineError
from cifar_pipeline.dataset.npy_files import open_for_reading

SPLITS = ("train", "validation", "test")
CLASSES = "classes.json"
_NAMES = TypeAdapter(tuple[str, ...])


def array_names(split: str) -> tuple[str, str]:
    """Return the file names of the images and the labels of a split."""
    return f"{split}_images.npy", f"{split}_labels.npy"


def parse_class_names(content: bytes) -> tuple[str, ...]:
    """Return the names of classes that stand in JSON, a list of texts.

    Raises:
        ValueError: it is none.
    """
    return _NAMES.validate_json(content)


def load_class_names(folder: Path, stage: str = "preprocess") -> tuple[str, ...]:
    """Return the names of the classes in label order, once verified; errors as `load_images`.

    Args:
        folder: the one that `stage` wrote.
        stage: download writes them for a user's own images.
    """
    check_manifest(folder, [CLASSES], stage)
    with reading(folder / CLASSES):
        return parse_class_names((folder / CLASSES).read_bytes())


def load_images(folder: Path, split: str) -> np.ndarray:
    """Return a split's images, uint8 (N, H, W, 3), once verified.

    They stay in their file, which may be larger than memory.

    Raises:
        PipelineError: the file is missing or is not what the manifest says.
    """
    images, _ = array_names(split)
    check_manifest(folder, [images], "preprocess")
    with reading(folder / images):
        return _of_bytes(open_for_reading(folder / images), 4)


def load_labels(folder: Path, split: str) -> np.ndarray:
    """Return a split's labels, uint8 (N,), once verified; errors as `load_images`."""
    _, labels = array_names(split)
    classes = len(load_class_names(folder))
    check_manifest(folder, [labels], "preprocess")
    with reading(folder / labels):
        found = _of_bytes(np.load(folder / labels, allow_pickle=False), 1)
        if found.max(initial=0) >= classes:
            raise ValueError(f"it holds the label {found.max()}, and there are {classes} classes")
        return found


def load_split(folder: Path, split: str) -> tuple[np.ndarray, np.ndarray]:
    """Return `load_images` and `load_labels` of a split.

    Raises:
        PipelineError: a file is missing or is not what the manifest says.
    """
    images, labels = load_images(folder, split), load_labels(folder, split)
    if len(images) != len(labels):
        raise PipelineError(
            f"{folder / array_names(split)[0]} holds {len(images):,} images, and there are "
            f"{len(labels):,} labels; {HEAL}"
        )
    return images, labels


def _of_bytes(array: np.ndarray, axes: int) -> np.ndarray:
    if array.dtype != np.uint8 or array.ndim != axes:
        raise ValueError(f"it holds {array.dtype} of shape {array.shape}")
    return array
