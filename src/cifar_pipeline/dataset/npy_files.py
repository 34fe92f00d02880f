"""Arrays in .npy files that are larger than memory may be: written and read a part at a time.

They are written by plain writing, not as memory: where the disk is full, the system would end a
process that writes to such memory, without a word. Nor by `np.save`, whose error names no reason.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np

from cifar_pipeline.common.system_errors import UNSUPPORTED

PART_BYTES = 32_000_000


@contextmanager
def open_for_writing(path: Path, shape: tuple[int, ...]) -> Iterator[BinaryIO]:
    """Yield a new .npy file at `path` that takes the bytes of a uint8 array, row after row."""
    header = {"descr": np.lib.format.dtype_to_descr(np.dtype(np.uint8)), "fortran_order": False}
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header | {"shape": shape})
        yield file


def open_for_reading(path: Path) -> np.ndarray:
    """Return the array of a .npy file; what is read of it comes from the file.

    Where the file system cannot show a file as memory, the array is read as a whole.
    """
    try:
        # A plain array: some functions would return memmaps, which are slower.
        return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
    except OSError as error:
        if error.errno not in UNSUPPORTED:
            raise
        return np.load(path, allow_pickle=False)


def write_array(path: Path, array: np.ndarray) -> None:
    """Write a uint8 array as a .npy file at `path`."""
    with open_for_writing(path, array.shape) as file:
        for part in parts_of(array):
            file.write(np.ascontiguousarray(array[part]).data)


def parts_of(images: np.ndarray, number: int | None = None) -> Iterator[slice]:
    """Yield consecutive slices of the first axis, of some 32 MB each.

    Args:
        images: an array whose rows are as large.
        number: of rows to slice; None: all of `images`.
    """
    step = max(PART_BYTES // max(images[:1].nbytes, 1), 1)
    for first in range(0, len(images) if number is None else number, step):
        yield slice(first, first + step)


def write_rows(path: Path, images: np.ndarray, indices: np.ndarray) -> None:
    """Write the rows `indices` (M,) of a uint8 array as a .npy file at `path`."""
    with open_for_writing(path, (len(indices), *images.shape[1:])) as file:
        for part in parts_of(images, len(indices)):
            file.write(images[indices[part]].data)
