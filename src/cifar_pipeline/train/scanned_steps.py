"""What training does in another way on JAX, and everything in it that needs JAX itself.

By hand because XLA's gradient of a pooling is slow on a GPU where it is to be deterministic, and
because Keras' loop over batches keeps a GPU waiting (figures in benchmarks/README.md).
"""

from typing import Any

import keras
import numpy as np
from keras import ops

from cifar_pipeline.train.augmentation import Changes

IS_JAX = keras.backend.backend() == "jax"


def on_device(array: np.ndarray) -> Any:
    """Return `array` in the memory of JAX's first device."""
    import jax

    return jax.device_put(array)


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


class ScannedModel(keras.Model):
    """A model that takes the training images once and then goes through many batches by itself.

    Between two steps `fit` is busy in Python for longer than a GPU is with one.
    """

    def train_step(self, state: Any, data: Any) -> Any:
        """Do a step for each of the batches in `data`; return the last one's logs, and the state.

        Args:
            state: of the model, the optimizer and the metrics, as Keras hands it over.
            data: a group as GroupedBatches makes it.
        """
        import jax

        (images, fill, changes), targets = data

        def step(state: Any, batch: Any) -> Any:
            changes, targets = batch
            augmented = _augmented(images, fill, changes)
            logs, state = super(ScannedModel, self).train_step(state, (augmented, targets))
            return state, logs

        state, logs = jax.lax.scan(step, state, (changes, targets))
        return jax.tree.map(lambda values: values[-1], logs), state


def _augmented(images: Any, fill: Any, changes: Changes) -> Any:
    """Return what `Augmenter.batch` does, made on the device."""
    import jax.numpy as jnp

    rows, columns = changes.rows[:, :, None], changes.columns[:, None]
    moved = images[changes.indices[:, None, None], rows, columns]
    cut = changes.cut_rows[:, :, None] & changes.cut_columns[:, None]
    return jnp.where(cut[..., None], fill, moved)
