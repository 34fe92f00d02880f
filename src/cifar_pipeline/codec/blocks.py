"""A block of images as bytes: the symbols of its waves, and then those that are out of the tables.

What is coded with one table stands together within a wave, so that the library is called once for
each table of a wave. Inside, images are in the order of their levels; see `waves` for the shape.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from cifar_pipeline.codec.entropy_coder import (
    TOTAL,
    DamagedPayloadError,
    Decoder,
    Encoder,
    coder_model,
)
from cifar_pipeline.codec.tables import Tables
from cifar_pipeline.codec.waves import Wave

LARGEST_SYMBOL = 2**30
# An escaped number is written as the length in bits of (magnitude - R), its digits of 4 bits and
# its sign, all with equal frequencies.
_LENGTHS, _DIGIT_BITS, _SIGNS = 32, 4, 2


def encode_block(symbols: np.ndarray, levels: np.ndarray, tables: Tables) -> bytes:
    """Return symbols as bytes.

    Args:
        symbols: int32 (images, rows, columns, channels), from -2^30 to 2^30.
        levels: uint8 (images,).
        tables: of as many channels.
    """
    encoding = _Encoding(tables)
    for coded in _coded(symbols, levels, tables):
        encoding.add(coded)
    return encoding.payload()


def estimate_bits(symbols: np.ndarray, levels: np.ndarray, tables: Tables) -> np.ndarray:
    """Return the bits of each image by the tables, float64 (images,); arguments as above."""
    estimate = _Estimate(tables, levels)
    for coded in _coded(symbols, levels, tables):
        estimate.add(coded)
    return estimate.bits()


def encode_and_estimate(
    symbols: np.ndarray, levels: np.ndarray, tables: Tables
) -> tuple[bytes, np.ndarray]:
    """Return what `encode_block` and `estimate_bits` do, with the contexts computed once."""
    encoding, estimate = _Encoding(tables), _Estimate(tables, levels)
    for coded in _coded(symbols, levels, tables):
        encoding.add(coded)
        estimate.add(coded)
    return encoding.payload(), estimate.bits()


def decode_block(
    payload: bytes, shape: tuple[int, int, int], levels: np.ndarray, tables: Tables
) -> np.ndarray:
    """Return the symbols, int32 (images, rows, columns, channels), of `encode_block`.

    What memory it takes depends on `shape` and the channels alone.

    Args:
        payload: what `encode_block` returned.
        shape: images, rows and columns.
        levels: as there.
        tables: as there.

    Raises:
        DamagedPayloadError: no encoder writes these bytes.
    """
    images, rows, columns = shape
    decoder = Decoder(payload)
    by_level = np.argsort(levels, kind="stable")
    symbols = np.zeros((tables.channels, rows, columns, images), np.int32)
    escapes = []
    contexts = tables.contexts(symbols.shape, levels[by_level])
    for wave in contexts:
        known = contexts.of(wave)
        choice = _choice(tables, levels[by_level], wave, known.contexts)
        order, runs = _by_table(choice)
        indices = np.empty(len(order), np.int32)
        for table, run in runs:
            indices[order[run]] = decoder.take(run.stop - run.start, tables.coder_models[table])
        numbers = indices.reshape(choice.shape) - np.int32(tables.largest)
        contexts.learn(wave, numbers)
        symbols[wave.place] = known.shift + known.flip * numbers
        escaped = numbers > tables.largest
        if escaped.any():
            flip = np.broadcast_to(known.flip, numbers.shape)[escaped]
            escapes.append((wave, escaped, flip))
    _replace_escaped(decoder, symbols, escapes, tables.largest)
    decoder.require_end()
    found = np.empty((images, rows, columns, tables.channels), np.int32)
    found[by_level] = symbols.transpose(3, 1, 2, 0)
    return found


class _Coded(NamedTuple):
    """A wave of symbols: the numbers that they are coded as, and the table of each.

    Attributes:
        numbers: int32.
        clipped: int32, R + 1 for each number that needs an escape.
        choice: uint8.
    """

    numbers: np.ndarray
    clipped: np.ndarray
    choice: np.ndarray


def _coded(symbols: np.ndarray, levels: np.ndarray, tables: Tables) -> Iterator[_Coded]:
    by_level = np.argsort(levels, kind="stable")
    levels = levels[by_level]
    inner = np.ascontiguousarray(symbols[by_level].transpose(3, 1, 2, 0))
    contexts = tables.contexts(inner.shape, levels)
    for wave in contexts:
        known = contexts.of(wave)
        numbers = known.flip * (inner[wave.place] - known.shift)
        clipped = tables.clipped(numbers)
        yield _Coded(numbers, clipped, _choice(tables, levels, wave, known.contexts))
        contexts.learn(wave, clipped)


class _Encoding:
    """The payload of waves, which are added one after the other."""

    def __init__(self, tables: Tables) -> None:
        self._tables, self._encoder = tables, Encoder()
        self._escaped: list[np.ndarray] = []

    def add(self, coded: _Coded) -> None:
        order, runs = _by_table(coded.choice)
        indices = (coded.clipped + np.int32(self._tables.largest)).ravel()[order]
        for table, run in runs:
            self._encoder.put(indices[run], self._tables.coder_models[table])
        self._escaped.append(coded.numbers[coded.clipped > self._tables.largest])

    def payload(self) -> bytes:
        _put_escaped(self._encoder, np.concatenate(self._escaped), self._tables.largest)
        return self._encoder.payload()


class _Estimate:
    """The bits of images by the tables, of waves that are added one after the other."""

    def __init__(self, tables: Tables, levels: np.ndarray) -> None:
        self._tables, self._levels = tables, levels
        self._bits = np.zeros(len(levels))  # in the order of the levels

    def add(self, coded: _Coded) -> None:
        largest = self._tables.largest
        found = self._tables.bits[coded.choice, coded.clipped + np.int32(largest)]
        self._bits += found.sum(axis=(0, 1, 2), dtype=np.float64)
        *_, images = np.nonzero(coded.clipped > largest)
        if len(images):
            numbers = coded.numbers[coded.clipped > largest]
            digits = _digits(_lengths(np.abs(numbers) - largest))
            each = np.log2(_LENGTHS) + np.log2(_SIGNS) + _DIGIT_BITS * digits
            self._bits += np.bincount(images, each, minlength=len(self._bits))

    def bits(self) -> np.ndarray:
        """Return them in the order of the images, float64 (images,)."""
        found = np.empty_like(self._bits)
        found[np.argsort(self._levels, kind="stable")] = self._bits
        return found


def _choice(tables: Tables, levels: np.ndarray, wave: Wave, contexts: np.ndarray) -> np.ndarray:
    """Return the table of each symbol of a wave, uint8, in the wave's shape."""
    channels, count = tables.choice.shape[1:]
    of_levels = levels.astype(np.int32) * (channels * count)
    of_channels = np.arange(wave.channels.start, wave.channels.stop, dtype=np.int32) * count
    return tables.choice.ravel()[of_channels[:, None, None, None] + of_levels + contexts]


def _by_table(choice: np.ndarray) -> tuple[np.ndarray, list[tuple[int, slice]]]:
    """Return an order of a wave's symbols by their tables, and each table's run in that order."""
    flat = choice.ravel()
    counts = np.bincount(flat)
    ends = np.cumsum(counts)
    runs = [
        (int(table), slice(int(ends[table] - counts[table]), int(ends[table])))
        for table in np.flatnonzero(counts)
    ]
    return np.argsort(flat, kind="stable"), runs


def _lengths(numbers: np.ndarray) -> np.ndarray:
    """Return how many bits each number from 1 to 2^31 - 1 has, int32."""
    return np.frexp(numbers.astype(np.float64))[1].astype(np.int32)


def _digits(lengths: np.ndarray) -> np.ndarray:
    """Return how many digits numbers of so many bits have, without the leading bit."""
    return (lengths - 1 + _DIGIT_BITS - 1) // _DIGIT_BITS


def _even(symbols: int) -> object:
    return coder_model(np.full(symbols, TOTAL // symbols))


def _put_escaped(encoder: Encoder, numbers: np.ndarray, largest: int) -> None:
    if not len(numbers):
        return
    rest = np.abs(numbers) - np.int32(largest)
    lengths = _lengths(rest)
    encoder.put(lengths, _even(_LENGTHS))
    encoder.put((numbers < 0).astype(np.int32), _even(_SIGNS))
    rest -= np.int32(1) << (lengths - 1)
    digits = _digits(lengths)
    for digit in range(int(digits.max())):
        some = rest[digits > digit] >> (_DIGIT_BITS * digit)
        encoder.put(some & (2**_DIGIT_BITS - 1), _even(2**_DIGIT_BITS))


def _replace_escaped(
    decoder: Decoder,
    symbols: np.ndarray,
    escapes: list[tuple[Wave, np.ndarray, np.ndarray]],
    largest: int,
) -> None:
    """Put symbols in place of R + 1: of each wave, where they are, and how they were flipped."""
    numbers = _take_escaped(decoder, sum(len(flip) for *_, flip in escapes), largest)
    for wave, escaped, flip in escapes:
        # R + 1 stands there, flipped and shifted as the number is to be.
        symbols[wave.place][escaped] += flip * (numbers[: len(flip)] - np.int32(largest + 1))
        numbers = numbers[len(flip) :]


def _take_escaped(decoder: Decoder, count: int, largest: int) -> np.ndarray:
    """Return so many escaped numbers, int32 (count,).

    Raises:
        DamagedPayloadError: one is inside of the tables, or beyond all that the encoder takes.
    """
    if not count:
        return np.zeros(0, np.int32)
    lengths = decoder.take(count, _even(_LENGTHS))
    negative = decoder.take(count, _even(_SIGNS)).astype(bool)
    if lengths.min() < 1:
        raise DamagedPayloadError("an escaped number that is inside of the tables")
    rest = np.int64(1) << (lengths.astype(np.int64) - 1)
    digits = _digits(lengths)
    for digit in range(int(digits.max())):
        has = digits > digit
        found = decoder.take(int(has.sum()), _even(2**_DIGIT_BITS)).astype(np.int64)
        rest[has] += found << (_DIGIT_BITS * digit)
    magnitudes = rest + largest
    # A prediction may add a little to a symbol.
    if magnitudes.max() > 2 * LARGEST_SYMBOL - (1 << 20):
        raise DamagedPayloadError("an escaped number that is too large")
    return np.where(negative, -magnitudes, magnitudes).astype(np.int32)
