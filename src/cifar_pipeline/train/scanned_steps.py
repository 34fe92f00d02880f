"""Many training steps in one call, for a GPU that holds the images and runs on JAX.

Batches come in groups, and the model goes through a group by itself: Keras' loop over batches keeps
a GPU waiting (figures in docs/log.md).
"""

from typing import Any

import keras
import numpy as np

from cifar_pipeline.backend.jax import on_device
from cifar_pipeline.train.augmentation import Changes, augmented_on_device
from cifar_pipeline.train.batches import TrainingBatches

# What Python does between two groups should not count, but the first one should come soon. Each
# size is compiled for itself.
_SIZES = range(25, 9, -1)


def group_size(batches: int) -> int:
    """Return of how many batches a group is: such that none is left over, if that can be."""
    return next((size for size in _SIZES if batches % size == 0), _SIZES[0])


class GroupedBatches(keras.utils.PyDataset):
    """The same batches in the same order, G at once, and not the pixels, but where they come from.

    An item is ((images, fill, changes), targets): all images, uint8 (N, 32, 32, 3), and the colour
    of what is cut out, uint8 (3,), both on the device already, the changes (G, B, ...) and the
    targets, float32 (G, B, classes). The weights, float32 (G, B), follow where there are any.

    Args:
        batches: to group. A smaller last batch of an epoch is a group of its own.
    """

    def __init__(self, batches: TrainingBatches) -> None:
        super().__init__()
        self._batches = batches
        self._images, self._fill = on_device(batches.images), on_device(batches.fill)
        whole, steps = batches.whole_batches, range(len(batches))
        size = group_size(whole)
        self._groups = [steps[at : min(at + size, whole)] for at in range(0, whole, size)]
        if len(steps) > whole:
            self._groups.append(steps[whole:])

    def __len__(self) -> int:
        """Return the number of groups an epoch."""
        return len(self._groups)

    def __getitem__(self, number: int) -> tuple[Any, ...]:
        """Return the group of `number`, counted from 0."""
        steps = self._groups[number]
        changes, answers = self._batches.changes(steps)
        changes = Changes(*(_split(part, len(steps)) for part in changes))
        return (self._images, self._fill, changes), *(_split(each, len(steps)) for each in answers)

    def on_epoch_end(self) -> None:
        """Go on to the next epoch."""
        self._batches.on_epoch_end()


def _split(array: np.ndarray, parts: int) -> np.ndarray:
    return array.reshape(parts, -1, *array.shape[1:])


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

        (images, fill, changes), *answers = data

        def step(state: Any, batch: Any) -> Any:
            changes, answers = batch
            augmented = augmented_on_device(images, fill, changes)
            logs, state = super(ScannedModel, self).train_step(state, (augmented, *answers))
            return state, logs

        state, logs = jax.lax.scan(step, state, (changes, answers))
        return jax.tree.map(lambda values: values[-1], logs), state
