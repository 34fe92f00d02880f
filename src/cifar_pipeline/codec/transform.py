"""What turns images into numbers that are rounded and coded, and back: the seam of the codec."""

from typing import Protocol

import numpy as np


class Transform(Protocol):
    """A transform with 256 levels of quality, 0 the worst.

    Its numbers come in channels at the places of a grid, one place for `stride` x `stride` pixels.
    Only `pixels` has to answer the same on every machine, but for roundings; the other functions
    run where a file is written.

    Attributes:
        kind: its name in `model.TRANSFORMS`.
        stride: pixels a place of the grid, in each direction; height and width of images are
            multiples of it.
        channels: numbers a place.
    """

    @property
    def kind(self) -> str: ...  # noqa: D102

    @property
    def stride(self) -> int: ...  # noqa: D102

    @property
    def channels(self) -> int: ...  # noqa: D102

    def features(self, images: np.ndarray) -> np.ndarray:
        """Return float32 (N, H / stride, W / stride, channels) of images, uint8 (N, H, W, 3)."""
        ...

    def symbols(self, features: np.ndarray, levels: np.ndarray) -> np.ndarray:
        """Return `features`, scaled by their levels and rounded, int32 of the same shape.

        Args:
            features: of `features`.
            levels: uint8 (N,).
        """
        ...

    def pixels(self, symbols: np.ndarray, levels: np.ndarray) -> np.ndarray:
        """Return images, uint8 (N, H, W, 3), of `symbols`."""
        ...

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Return what a model's file holds of the transform; bytes are an array of uint8."""
        ...
