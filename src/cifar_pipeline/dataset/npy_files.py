"""Arrays in .npy files that are larger than memory may be: written and read a part at a time."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

PART_BYTES = 32_000_000


def open_for_writing(path: Path, shape: tuple[int, ...]) -> np.memmap:
    """Return a uint8 array of zeros whose memory is a new .npy file at `path`."""
    return np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=shape)


def open_for_reading(path: Path) -> np.ndarray:
    """Return the array of a .npy file; what is read of it comes from the file."""
    # A plain array: some functions would return memmaps, which are slower.
    return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))


def parts_of(images: np.ndarray) -> Iterator[slice]:
    """Yield consecutive slices of the first axis, of some 32 MB each."""
    step = max(PART_BYTES // max(images[:1].nbytes, 1), 1)
    for first in range(0, len(images), step):
        yield slice(first, first + step)


def write_rows(path: Path, images: np.ndarray, indices: np.ndarray) -> None:
    """Write the rows `indices` (M,) of a uint8 array as a .npy file at `path`."""
    written = open_for_writing(path, (len(indices), *images.shape[1:]))
    for part in parts_of(written):
        written[part] = images[indices[part]]
    written.flush()
