"""Feature maps in the order (rows, columns, batch, channels), as Fourier convolutions have them."""

from typing import Any

from keras import ops


def as_spatial_first(maps: Any) -> Any:
    """Return maps (batch, rows, columns, channels) as (rows, columns, batch, channels)."""
    return ops.transpose(maps, (1, 2, 0, 3))


def as_batch_first(maps: Any) -> Any:
    """Return maps (rows, columns, batch, channels) as (batch, rows, columns, channels)."""
    return ops.transpose(maps, (2, 0, 1, 3))


def is_spatial_first(maps: Any) -> bool:
    """Say of symbolic maps whether they are (rows, columns, batch, channels), of any batch."""
    return maps.shape[0] is not None


def max_pooled(maps: Any, size: int) -> Any:
    """Return the greatest of each `size` x `size` pixels of spatial-first maps.

    To the pooling they are one image, of as many channels as batch and channels make.
    """
    rows, columns, _, channels = maps.shape
    one_image = ops.reshape(maps, (1, rows, columns, -1))
    pooled = ops.max_pool(one_image, size, size, padding="valid")  # JAX misreads strides left out
    return ops.reshape(pooled, (rows // size, columns // size, -1, channels))
