"""A max pooling whose gradient is no scatter, for JAX."""

from typing import Any

import keras
from keras import ops


class TiledMaxPooling2D(keras.layers.MaxPooling2D):
    """The same pooling, of squares that do not overlap, as a maximum over two axes.

    Its gradient is a product. That of `lax.reduce_window` is a scatter, for which XLA, where its
    operations are to be deterministic, sorts: three fifths of a step (measured on an NVIDIA H100).
    Pixels that are equally great share the gradient. For training only.
    """

    def call(self, inputs: Any) -> Any:
        """Pool `inputs` (N, H, W, C); rows and columns beyond the last whole square are left."""
        _, height, width, channels = inputs.shape
        rows, columns = self.pool_size
        down, right = height // rows, width // columns
        tiles = inputs[:, : down * rows, : right * columns]
        tiles = ops.reshape(tiles, (-1, down, rows, right, columns, channels))
        return ops.max(tiles, axis=(2, 4))
