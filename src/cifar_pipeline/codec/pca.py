"""Principal components as a transform: the baseline that a codec with a network has to beat."""

from dataclasses import dataclass

import numpy as np

from cifar_pipeline.codec.klt import tiles_of
from cifar_pipeline.codec.tables import LEVELS


@dataclass(frozen=True)
class Pca:
    """Principal components of square tiles, all quantised with one uniform step.

    Attributes:
        mean: float32 (stride * stride * 3,), of the training tiles' pixels.
        components: float32 (channels, stride * stride * 3), orthonormal rows, that of the largest
            variance first.
        steps: float32 (256,), the quantiser's step of each level, in grey levels.

    Raises:
        ValueError: the arrays do not fit together.
    """

    mean: np.ndarray
    components: np.ndarray
    steps: np.ndarray

    kind = "pca"

    def __post_init__(self) -> None:
        width = self.stride**2 * 3
        shapes = self.mean.shape, self.components.shape[1:], self.steps.shape
        if shapes != ((width,), (width,), (LEVELS,)):
            raise ValueError("arrays that are no principal components")

    @property
    def stride(self) -> int:
        """The side of a tile, in pixels."""
        return round((len(self.mean) / 3) ** 0.5)

    @property
    def channels(self) -> int:
        """How many components there are."""
        return len(self.components)

    def features(self, images: np.ndarray) -> np.ndarray:
        """See `Transform`."""
        return (tiles_of(images, self.stride).astype(np.float32) - self.mean) @ self.components.T

    def symbols(self, features: np.ndarray, levels: np.ndarray) -> np.ndarray:
        """See `Transform`."""
        return np.rint(features / self._step(levels)).astype(np.int32)

    def pixels(self, symbols: np.ndarray, levels: np.ndarray) -> np.ndarray:
        """See `Transform`."""
        found = (symbols * self._step(levels)) @ self.components + self.mean
        return _untiled(np.clip(np.rint(found), 0, 255).astype(np.uint8), self.stride)

    def to_arrays(self) -> dict[str, np.ndarray]:
        """See `Transform`."""
        return {"mean": self.mean, "components": self.components, "steps": self.steps}

    @classmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray]) -> "Pca":
        """Return the transform of `to_arrays`.

        Raises:
            KeyError, ValueError: they are none.
        """
        return cls(*(arrays[name] for name in ("mean", "components", "steps")))

    def _step(self, levels: np.ndarray) -> np.ndarray:
        return self.steps[levels][:, None, None, None]


def fit_pca(images: np.ndarray, tile: int, channels: int, coarsest: float, finest: float) -> Pca:
    """Return the principal components of training images, uint8 (N, H, W, 3).

    Args:
        images: their sides are multiples of `tile`.
        tile: the side of a tile.
        channels: how many components to keep.
        coarsest: the step of level 0, in grey levels.
        finest: that of level 255; in between their logarithms are evenly spaced.
    """
    width, count = tile * tile * 3, 0
    total, products = np.zeros(width), np.zeros((width, width))
    for first in range(0, len(images), 5000):
        tiles = tiles_of(images[first : first + 5000], tile).reshape(-1, width)
        part = tiles.astype(np.float32)
        total += part.sum(axis=0, dtype=np.float64)
        products += part.T @ part
        count += len(part)
    mean = total / count
    _, vectors = np.linalg.eigh(products / count - np.outer(mean, mean))
    components = vectors.T[::-1][:channels]
    steps = np.geomspace(coarsest, finest, LEVELS)
    return Pca(*(each.astype(np.float32) for each in (mean, components, steps)))


def _untiled(tiles: np.ndarray, side: int) -> np.ndarray:
    """Return the images of `tiles_of`."""
    count, rows, columns, _ = tiles.shape
    parts = tiles.reshape(count, rows, columns, side, side, 3).transpose(0, 1, 3, 2, 4, 5)
    return np.ascontiguousarray(parts.reshape(count, rows * side, columns * side, 3))
