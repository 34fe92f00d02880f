"""In which order symbols are coded.

Symbols are coded in waves, and what is known of a wave's symbols comes from earlier waves alone:
all images of a block advance together. Where neighbours on the grid count, a wave is one channel at
one of four phases:

    1 3 1 3
    4 2 4 2      the numbers are those of a channel's waves
    1 3 1 3

Symbols of the first phase have no neighbours in their own channel yet, those of the second one have
four diagonal ones, those of the third one four beside them, and those of the fourth one all eight.
Where neighbours do not count, a wave is a group of whole channels.

Arrays of a block have the shape (channels, rows, columns, images), so that inner loops are long.
"""

from collections.abc import Iterator
from typing import NamedTuple, Protocol

import numpy as np

LEVELS = 256  # of quality: one byte an image
PHASES = ((0, 0), (1, 1), (0, 1), (1, 0))  # the first row and the first column of each


class Wave(NamedTuple):
    """What is coded at a time.

    Attributes:
        channels: a slice of the channels.
        rows: of the grid.
        columns: likewise.
        phase: the number of the phase, from 0.
    """

    channels: slice
    rows: slice
    columns: slice
    phase: int = 0

    @property
    def place(self) -> tuple[slice, slice, slice]:
        """The index of the wave's symbols in an array of the block."""
        return self.channels, self.rows, self.columns


class Known(NamedTuple):
    """What is known of a wave's symbols before they are decoded, in arrays of the wave's shape.

    A symbol is coded as `flip * (symbol - shift)`.

    Attributes:
        contexts: uint8, how large that number is likely to be.
        shift: int32, or 0 for all.
        flip: int32, 1 or -1, or 1 for all.
    """

    contexts: np.ndarray
    shift: np.ndarray | int = 0
    flip: np.ndarray | int = 1


class Contexts(Protocol):
    """Goes through the waves of a block."""

    def __iter__(self) -> Iterator[Wave]:
        """Yield each wave; `learn` must have been called before the next one."""
        ...

    def of(self, wave: Wave) -> Known:
        """Return what is known of the wave's symbols."""
        ...

    def learn(self, wave: Wave, coded: np.ndarray) -> None:
        """Take note of the numbers that the wave's symbols are coded as, int32 of its shape."""
        ...


def waves_of_groups(shape: tuple[int, ...], group: int) -> Iterator[Wave]:
    """Yield waves of whole channels, so many at a time, for a block of this shape."""
    channels, rows, columns = shape[:3]
    for first in range(0, channels, group):
        some = slice(first, min(first + group, channels))
        yield Wave(some, slice(0, rows), slice(0, columns))


def waves_of_phases(shape: tuple[int, ...]) -> Iterator[Wave]:
    """Yield the waves of a block of this shape, four for each channel or fewer on small grids."""
    channels, rows, columns = shape[:3]
    for channel in range(channels):
        for phase, (row, column) in enumerate(PHASES):
            if row < rows and column < columns:
                places = slice(row, rows, 2), slice(column, columns, 2)
                yield Wave(slice(channel, channel + 1), *places, phase)
