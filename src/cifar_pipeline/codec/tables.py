"""Integer frequency tables, and which of them a symbol is coded with."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from cifar_pipeline.codec import contexts, linear_contexts
from cifar_pipeline.codec.contexts import GroupContexts
from cifar_pipeline.codec.entropy_coder import TOTAL, coder_model
from cifar_pipeline.codec.linear_contexts import LinearContexts, Predictor
from cifar_pipeline.codec.waves import LEVELS, Contexts

MOST_TABLES = 128


@dataclass(frozen=True)
class Tables:
    """All that decides on the bits of symbols, in integers.

    A number from -R to R, a symbol or the error of its prediction, has the index number + R in a
    table; the last index, 2 R + 1, is an escape: the number itself follows at the end of the block.

    Attributes:
        frequencies: uint32 (tables, 2 R + 2), each at least 1, with the sum 2^24 in each table.
        choice: uint8 (256, channels, contexts), the table of each level, channel and context.
        group: channels that are coded at a time where there is no predictor.
        predictor: of symbols from their neighbours and from other channels; None where there is one
            place, or where neighbours do not count.

    Raises:
        ValueError: the arrays do not fit together.
    """

    frequencies: np.ndarray
    choice: np.ndarray
    group: int
    predictor: Predictor | None

    def __post_init__(self) -> None:
        tables, width = _shape(self.frequencies, np.uint32, 2)
        levels, channels, contexts = _shape(self.choice, np.uint8, 3)
        if self.predictor and self.predictor.symbols.shape[2] != channels:
            raise ValueError("a predictor of other channels")
        sums = self.frequencies.sum(axis=1, dtype=np.uint64)
        if not 0 < tables <= MOST_TABLES or width < 4 or width % 2:
            raise ValueError(f"{tables} tables of {width} symbols")
        if self.frequencies.min() < 1 or (sums != TOTAL).any():
            raise ValueError("frequencies that are none")
        if (levels, contexts) != (LEVELS, contexts_of(self.predictor is not None)) or not channels:
            raise ValueError(f"a choice of shape {self.choice.shape}")
        if self.choice.max() >= tables:
            raise ValueError("a choice of a table that is not there")
        if not 0 < self.group <= 128:
            raise ValueError(f"groups of {self.group} channels")

    @property
    def channels(self) -> int:
        """How many channels the symbols have."""
        return self.choice.shape[1]

    @property
    def largest(self) -> int:
        """The largest magnitude R that needs no escape."""
        return self.frequencies.shape[1] // 2 - 1

    @property
    def escape(self) -> int:
        """The index of the escape."""
        return 2 * self.largest + 1

    @cached_property
    def bits(self) -> np.ndarray:
        """The bits of each index by each table, float32 (tables, 2 R + 2)."""
        return bits_of(self.frequencies)

    @cached_property
    def coder_models(self) -> list[Any]:
        """The library's models of the tables."""
        return [coder_model(row) for row in self.frequencies]

    def contexts(self, shape: tuple[int, ...], levels: np.ndarray) -> Contexts:
        """Return the contexts of a block.

        Args:
            shape: channels, rows, columns, images.
            levels: uint8 (images,), in ascending order.
        """
        if self.predictor:
            return LinearContexts(shape, self.predictor, levels)
        return GroupContexts(shape, self.group)

    def clipped(self, numbers: np.ndarray) -> np.ndarray:
        """Return int32 numbers with R + 1 for each that needs an escape: the index is R more."""
        inside = (numbers >= -self.largest) & (numbers <= self.largest)
        return np.where(inside, numbers, np.int32(self.largest + 1))

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Return what a model's file holds of the tables."""
        return {
            "frequencies": self.frequencies,
            "choice": self.choice,
            "group": np.array(self.group, np.int64),
        } | (vars(self.predictor) if self.predictor else {})

    @classmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray]) -> "Tables":
        """Return the tables of `to_arrays`.

        Raises:
            KeyError, ValueError: they are none.
        """
        predictor = None
        if "symbols" in arrays:
            predictor = Predictor(arrays["symbols"], arrays["magnitudes"])
        return cls(arrays["frequencies"], arrays["choice"], int(arrays["group"]), predictor)


def bits_of(frequencies: np.ndarray) -> np.ndarray:
    """Return the bits that symbols of these frequencies take, float32 of the same shape."""
    return (np.log2(TOTAL) - np.log2(frequencies)).astype(np.float32)


def contexts_of(has_neighbours: bool) -> int:
    """Return how many contexts there are, with a predictor and without."""
    return linear_contexts.CONTEXTS if has_neighbours else contexts.CONTEXTS


def _shape(array: np.ndarray, dtype: type, axes: int) -> tuple[int, ...]:
    if array.dtype != dtype or array.ndim != axes:
        raise ValueError(f"{array.dtype} of shape {array.shape}")
    return array.shape
