"""What the arguments of `compress` name: arrays of images in .npy files, and picture files."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cifar_pipeline.codec.index import (
    BLOCK_PIXELS,
    LONGEST_SIDE,
    Kind,
    Source,
    images_a_block,
    is_safe,
)
from cifar_pipeline.common.system_errors import refusal
from cifar_pipeline.dataset.npy_files import open_for_reading
from cifar_pipeline.images.decoding import decode_whole, silenced
from cifar_pipeline.images.paths import PictureError, expand, shown

# Of the images of a block: enough for long loops in NumPy, and few enough for a processor's cache.
_USUAL_PIXELS = 1 << 19


@dataclass(frozen=True)
class Input:
    """A file to compress.

    Attributes:
        path: the file.
        source: what becomes of it in the compressed file.
        array: uint8 (N, H, W, 3), which may lie in its file; None for a picture, which is decoded
            when it is needed.
    """

    path: str
    source: Source
    array: np.ndarray | None

    def images(self) -> np.ndarray:
        """Return its images, uint8 (N, H, W, 3).

        Raises:
            PictureError: a picture that cannot be read, or one that is too large.
        """
        if self.array is not None:
            return self.array
        with silenced():
            images = decode_whole(self.path)[None]
        _require_small(self.path, images)
        return images


def find_inputs(arguments: list[str]) -> list[Input]:
    """Return the files that `arguments` name, each once, in their order; see `images.paths.expand`.

    Raises:
        PictureError: one of them cannot be used.
    """
    paths = []
    for found in expand(arguments):
        if isinstance(found, PictureError):
            raise found
        paths.append(found)
    shared = os.path.commonpath([Path(path).absolute().parent for path in paths])
    return [_input(path, Path(path).absolute().relative_to(shared).as_posix()) for path in paths]


def blocks_of(inputs: list[Input]) -> Iterator[np.ndarray]:
    """Yield all images in their order, uint8 (n, H, W, 3), so many at a time as make a block.

    Raises:
        PictureError: as `Input.images`.
    """
    waiting: list[np.ndarray] = []
    for each in inputs:
        images = each.images()
        if waiting and waiting[0].shape[1:] != images.shape[1:]:
            yield np.concatenate(waiting)
            waiting = []
        height, width = images.shape[1:3]
        most = max(images_a_block(height, width, _USUAL_PIXELS), 1)
        while len(images):
            room = most - sum(map(len, waiting))
            waiting.append(images[:room])
            images = images[room:]
            if sum(map(len, waiting)) == most:
                yield np.concatenate(waiting)
                waiting = []
    if waiting:
        yield np.concatenate(waiting)


def _input(path: str, name: str) -> Input:
    if not _is_text(name) or not is_safe(name):
        raise PictureError(path, "a name that not every system takes; rename the file")
    if not path.lower().endswith(".npy"):
        return Input(path, Source(Kind.PICTURE, name, 1), None)
    array = _array(path)
    return Input(path, Source(Kind.ARRAY, name, len(array)), array)


def _is_text(name: str) -> bool:
    # Bytes of a name that are no UTF-8 stand in it as lone surrogates.
    return not any("\ud800" <= character <= "\udfff" for character in name)


def _array(path: str) -> np.ndarray:
    """Return the images of a .npy file.

    Raises:
        PictureError: it is missing, damaged or holds none.
    """
    try:
        array = open_for_reading(Path(path))
    except Exception as error:  # of NumPy, for what a damaged file says
        advice = "name a .npy file of images"
        reason = refusal(error, "", "read as an array", advice).removeprefix(": ")
        raise PictureError(path, reason) from None
    if array.dtype != np.uint8 or array.ndim != 4 or array.shape[3] != 3 or not array.size:
        raise PictureError(
            path,
            f"{array.dtype} of shape {array.shape}; expected images, uint8 of shape (number, "
            "height, width, 3): convert the array",
        )
    _require_small(path, array)
    return array


def _require_small(path: str, images: np.ndarray) -> None:
    height, width = images.shape[1:3]
    if not images_a_block(height, width):
        raise PictureError(
            shown(path),
            f"{width:,} x {height:,} pixels, and {BLOCK_PIXELS:,} in all and {LONGEST_SIDE:,} a "
            "side are the most; cut it into parts, or save it smaller",
        )
