"""The context of a symbol where neighbours on the grid do not count: how large other channels are.

It is computed from magnitudes of symbols that are decoded already, in integers alone, so that it is
the same on every machine.
"""

from collections.abc import Iterator

import numpy as np

from cifar_pipeline.codec.waves import Known, Wave, waves_of_groups

CONTEXTS = 12
# Magnitudes above it count as it, and so do sums, so that nothing overflows.
_LARGEST_MAGNITUDE, _LARGEST_SUM = 255, 2047
# Bins of half an octave: 0, 1, 2, 3, 4, 5-7, 8-10, ...
_EDGES = (1, 2, 3, 4, 5, 8, 11, 16, 22, 32, 45)
_BINS = np.digitize(np.arange(_LARGEST_SUM + 1), _EDGES).astype(np.uint8)


class GroupContexts:
    """The contexts of a block, of groups of channels; see `waves.Contexts`.

    The magnitudes of all groups before count, those of the last one in full and those of each one
    before it a quarter less.

    Args:
        shape: channels, rows, columns, images.
        group: channels of a group, at most 128.
    """

    def __init__(self, shape: tuple[int, ...], group: int) -> None:
        self._shape, self._group = shape, group
        self._energy = np.zeros(shape[1:], np.uint16)

    def __iter__(self) -> Iterator[Wave]:
        yield from waves_of_groups(self._shape, self._group)

    def of(self, wave: Wave) -> Known:
        """Return the contexts of a group, the same for all of its channels."""
        bins = _BINS[self._energy]
        count = wave.channels.stop - wave.channels.start
        return Known(np.broadcast_to(bins, (count, *bins.shape)))

    def learn(self, wave: Wave, coded: np.ndarray) -> None:
        """Add the magnitudes of a group."""
        magnitudes = np.minimum(np.abs(coded), _LARGEST_MAGNITUDE)
        self._energy -= self._energy >> 2
        self._energy += magnitudes.sum(axis=0, dtype=np.uint16)
        np.minimum(self._energy, _LARGEST_SUM, out=self._energy)
