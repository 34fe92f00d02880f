"""Arrays in .npy files that are larger than memory may be: written and read a part at a time.

NumPy's own ways of writing are no good on a disk that fills up. `np.save` hands the last bytes of
an array to C's buffer and does not hear that they were not written; a process that writes to a
memmap is killed (SIGBUS).
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np

from cifar_pipeline.common.system_errors import UNSUPPORTED

PART_BYTES = 32_000_000


@contextmanager
def writing_rows(path: Path, row_shape: tuple[int, ...]) -> Iterator[Callable[[np.ndarray], None]]:
    """Yield a function that appends rows, uint8 (N, *row_shape), to a new .npy file at `path`.

    Raises:
        OSError: the file cannot be written.
    """
    rows = 0
    with path.open("wb") as file:

        def append(array: np.ndarray) -> None:
            nonlocal rows
            file.write(array.astype(np.uint8, order="C", casting="equiv", copy=False).data)
            rows += len(array)

        _write_header(file, (0, *row_shape))
        yield append
        file.seek(0)
        _write_header(file, (rows, *row_shape))  # as long: NumPy leaves room for more rows


def write_array(path: Path, array: np.ndarray) -> None:
    """Write a uint8 array as a .npy file at `path`.

    Raises:
        OSError: the file cannot be written.
    """
    with writing_rows(path, array.shape[1:]) as append:
        for part in parts_of(array):
            append(array[part])


def _write_header(file: BinaryIO, shape: tuple[int, ...]) -> None:
    described = {"descr": "|u1", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, described)


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


def parts_of(images: np.ndarray, rows: int | None = None) -> Iterator[slice]:
    """Yield consecutive slices of the first axis, of some 32 MB each.

    Args:
        images: their first axis is that one.
        rows: the length of another array's first axis, whose rows are as large; None: of `images`.
    """
    step = max(PART_BYTES // max(images[:1].nbytes, 1), 1)
    for first in range(0, len(images) if rows is None else rows, step):
        yield slice(first, first + step)


def write_rows(path: Path, images: np.ndarray, indices: np.ndarray) -> None:
    """Write the rows `indices` (M,) of a uint8 array as a .npy file at `path`.

    Raises:
        OSError: the file cannot be written.
    """
    with writing_rows(path, images.shape[1:]) as append:
        for part in parts_of(images, len(indices)):
            append(images[indices[part]])
