"""Prediction of symbols, and of their magnitudes, from those that are decoded already.

Two linear predictors with integer weights, one of the symbol and one of the magnitude of its
error, look at the 3 x 3 places around it in all channels before, and at those neighbours in its own
channel that are known. What is coded is the error; its context is the predicted magnitude and how
far the prediction was from an integer. The sign is turned so that it was rounded down.

All is exact. Weights and symbols are integers, and the sum of all products is below 2^24 whatever
the symbols are, so that a float32 holds each partial sum: a library for matrix products may add in
any order, fused or not, and the result is the same on every machine.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from cifar_pipeline.codec.waves import LEVELS, PHASES, Known, Wave, waves_of_phases

UNIT_BITS = 8
UNIT = 1 << UNIT_BITS  # a weight of 1
# Symbols and magnitudes beyond count as these.
LARGEST = {"symbols": 255, "magnitudes": 127}
_EXACT = 1 << 24
_RUN = 64  # images: products of small matrices stay in the cache, and on one core
# Places around a symbol, and which of them are decoded before it in its own channel, by phase.
TAPS = ((0, 0), (0, 1), (0, -1), (1, 0), (-1, 0), (1, 1), (1, -1), (-1, 1), (-1, -1))
OWN_TAPS: tuple[tuple[int, ...], ...] = ((), (5, 6, 7, 8), (1, 2, 3, 4), tuple(range(1, 9)))
# Contexts: the distance to the prediction, up to half a unit, and the magnitude in half octaves.
_DISTANCES = np.digitize(np.arange(UNIT // 2 + 1), (16, 43, 85)).astype(np.uint8)
_MAGNITUDE_EDGES = [int(UNIT * 2 ** (half / 2)) for half in range(-6, 15)]
_LARGEST_MAGNITUDE = _MAGNITUDE_EDGES[-1]
_MAGNITUDES = 4 * np.digitize(np.arange(_LARGEST_MAGNITUDE + 1), _MAGNITUDE_EDGES).astype(np.uint8)
CONTEXTS = 4 * (len(_MAGNITUDE_EDGES) + 1)


@dataclass(frozen=True)
class Predictor:
    """Weights, in units of 1/256: int32 (bands, phases, channels, channels, places).

    Weights [band, phase, channel, other] are those of the places of channel `other` for a symbol of
    `channel`. A band is a run of levels, as long as the others.

    Attributes:
        symbols: of a symbol, from symbols.
        magnitudes: of the magnitude of its error, from such magnitudes.

    Raises:
        ValueError: weights of another shape, of symbols that are not decoded yet, or too large.
    """

    symbols: np.ndarray
    magnitudes: np.ndarray

    def __post_init__(self) -> None:
        for name, largest in LARGEST.items():
            weights: np.ndarray = getattr(self, name)
            bands, channels = (weights.shape[0], weights.shape[2]) if weights.ndim == 5 else (0, 0)
            shape = (bands, len(PHASES), channels, channels, len(TAPS))
            if weights.dtype != np.int32 or not bands or LEVELS % bands or weights.shape != shape:
                raise ValueError(f"weights: {weights.dtype} of shape {weights.shape}")
            if (weights * ~known_places(channels)).any():
                raise ValueError("weights of symbols that are not decoded yet")
            sums = np.abs(weights.astype(np.int64)).sum(axis=(3, 4))
            if sums.max(initial=0) * largest + UNIT >= _EXACT:
                raise ValueError("weights that are too large to be exact")
        if self.symbols.shape != self.magnitudes.shape:
            raise ValueError("weights of two shapes")


def known_places(channels: int) -> np.ndarray:
    """Return which weights may be other than 0, bool (phases, channels, channels, places)."""
    known = np.zeros((len(PHASES), channels, channels, len(TAPS)), bool)
    known[:, *np.tril_indices(channels, -1)] = True
    for phase, places in enumerate(OWN_TAPS):
        for place in places:
            known[phase, np.arange(channels), np.arange(channels), place] = True
    return known


class LinearContexts:
    """The contexts of a block, channel by channel and phase by phase; see `waves.Contexts`.

    Args:
        shape: channels, rows, columns, images.
        predictor: of as many channels.
        levels: uint8 (images,), in ascending order.
    """

    def __init__(self, shape: tuple[int, ...], predictor: Predictor, levels: np.ndarray) -> None:
        self._shape = shape
        bands = levels // (LEVELS // len(predictor.symbols))
        self._of_symbols = _Sums(shape, predictor.symbols, bands, LARGEST["symbols"])
        self._of_magnitudes = _Sums(shape, predictor.magnitudes, bands, LARGEST["magnitudes"])
        self._known = Known(np.zeros(0, np.uint8))

    def __iter__(self) -> Iterator[Wave]:
        channel = 0
        for wave in waves_of_phases(self._shape):
            if wave.channels.start != channel:
                self._of_symbols.finish(channel)
                self._of_magnitudes.finish(channel)
                channel = wave.channels.start
            yield wave

    def of(self, wave: Wave) -> Known:
        """Return predictions, rounded, and the contexts of their errors."""
        predicted = self._of_symbols.predicted(wave)
        shift = (predicted + UNIT // 2) >> UNIT_BITS
        rest = predicted - (shift << UNIT_BITS)
        magnitudes = np.clip(self._of_magnitudes.predicted(wave), 0, _LARGEST_MAGNITUDE)
        contexts = _MAGNITUDES[magnitudes] + _DISTANCES[np.abs(rest)]
        self._known = Known(contexts, shift, np.where(rest < 0, np.int32(-1), np.int32(1)))
        return self._known

    def learn(self, wave: Wave, coded: np.ndarray) -> None:
        """Take note of errors; those of escapes are as large as the tables go."""
        self._of_magnitudes.learn(wave, np.abs(coded))
        self._of_symbols.learn(wave, self._known.shift + self._known.flip * coded)


class _Sums:
    """The weighted sums of one predictor.

    Args:
        shape: as above.
        weights: as in `Predictor`.
        bands: of each image, in ascending order.
        largest: numbers beyond count as it.
    """

    def __init__(
        self, shape: tuple[int, ...], weights: np.ndarray, bands: np.ndarray, largest: int
    ) -> None:
        channels, rows, columns, images = shape
        self._weights, self._largest = weights.astype(np.float32), np.float32(largest)
        self._bands = bands
        starts = np.searchsorted(bands, np.arange(len(weights) + 1))
        self._runs = [
            (band, slice(first, min(first + _RUN, last)))
            for band, (start, last) in enumerate(pairwise(starts))
            for first in range(start, last, _RUN)
        ]
        # The present channel, with a border of zeros, and what the channels before it add up to.
        self._channel = np.zeros((rows + 2, columns + 2, images), np.float32)
        self._sums = [
            np.zeros(
                (channels, len(range(row, rows, 2)), len(range(column, columns, 2)), images),
                np.float32,
            )
            for row, column in PHASES
        ]

    def predicted(self, wave: Wave) -> np.ndarray:
        """Return the sums of a wave, int32 of its shape."""
        channel = wave.channels.start
        total = self._sums[wave.phase][channel].copy()
        for place in OWN_TAPS[wave.phase]:
            weights = self._weights[self._bands, wave.phase, channel, channel, place]
            total += weights * self._at(wave.rows, wave.columns, place)
        return total.astype(np.int32)[None]

    def learn(self, wave: Wave, numbers: np.ndarray) -> None:
        """Take note of a wave's numbers."""
        self._at(wave.rows, wave.columns, 0)[:] = np.clip(numbers[0], -self._largest, self._largest)

    def finish(self, channel: int) -> None:
        """Add the present channel to the sums of all channels after it."""
        for phase, sums in enumerate(self._sums):
            row, column = PHASES[phase]
            rows, columns = (
                slice(first, first + 2 * count, 2)
                for first, count in zip((row, column), sums.shape[1:3], strict=True)
            )
            for band, run in self._runs:
                around = [self._at(rows, columns, place)[..., run] for place in range(len(TAPS))]
                numbers = np.stack(around).reshape(len(TAPS), -1)
                if numbers.any():
                    weights = self._weights[band, phase, channel + 1 :, channel]
                    after = sums[channel + 1 :, ..., run]
                    after += (weights @ numbers).reshape(after.shape)
        self._channel[:] = 0

    def _at(self, rows: slice, columns: slice, place: int) -> np.ndarray:
        """Return a view of the present channel at a place around the places of a wave."""

        def moved(part: slice, by: int) -> slice:
            return slice(part.start + 1 + by, part.stop + 1 + by, part.step)

        down, right = TAPS[place]
        return self._channel[moved(rows, down), moved(columns, right)]
