"""The Karhunen-Loeve transform of blocks of pixels: PCA of blocks, without overlap."""

from typing import NamedTuple

import numpy as np

_SAMPLE = 10_000  # images; their blocks tell the covariance well enough


class BlockTransform(NamedTuple):
    """A transform of blocks.

    Attributes:
        mean: colour of the training images, float32 (3,), from 0 to 255.
        kernel: orthonormal components, float32 (size, size, 3, channels), the greatest variance
            first.
        deviation: of each component over the images, float32 (channels,), in grey levels.
    """

    mean: np.ndarray
    kernel: np.ndarray
    deviation: np.ndarray


def fit_block_transform(images: np.ndarray, size: int, channels: int) -> BlockTransform:
    """Return the first components of the blocks of training images.

    Args:
        images: uint8 (N, H, W, 3), H and W multiples of `size`; the first 10,000 are used.
        size: pixels a side of a block.
        channels: how many components, 3 * size^2 at most.
    """
    sample = images[:_SAMPLE].astype(np.float32)
    mean = sample.mean(axis=(0, 1, 2), dtype=np.float64)
    blocks = tiles_of(sample - mean.astype(np.float32), size).reshape(-1, 3 * size**2)
    covariance = (blocks.T @ blocks).astype(np.float64) / len(blocks)
    values, vectors = np.linalg.eigh(covariance)
    kept = vectors[:, ::-1][:, :channels]
    # A sign is arbitrary: the largest weight of a component is positive.
    kept = kept * np.sign(kept[np.abs(kept).argmax(axis=0), np.arange(channels)])
    variance = np.maximum(values[::-1][:channels], 0)
    return BlockTransform(
        mean=mean.astype(np.float32),
        kernel=kept.reshape(size, size, 3, channels).astype(np.float32),
        deviation=np.sqrt(variance).astype(np.float32),
    )


def tiles_of(images: np.ndarray, side: int) -> np.ndarray:
    """Return images (N, H, W, 3) as tiles, (N, H / side, W / side, side * side * 3)."""
    count, height, width, _ = images.shape
    parts = images.reshape(count, height // side, side, width // side, side, 3)
    return parts.transpose(0, 1, 3, 2, 4, 5).reshape(count, height // side, width // side, -1)
