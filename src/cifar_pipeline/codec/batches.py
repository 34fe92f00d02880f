"""Batches of pixels and levels for `fit`, in an order that seed and epoch fix."""

import keras
import numpy as np

from cifar_pipeline.codec.network import LEVELS
from cifar_pipeline.params.augmentation import Augmentation
from cifar_pipeline.train.augmentation import generator
from cifar_pipeline.train.batches import TrainingBatches

_LEVELS = 4  # the number of this random stream, beside those of order and augmentation
# Of the validation images: spread over all levels, the same ones in each epoch.
_STRIDE = 103  # shares no factor with 256, so that 256 images in a row have all levels


class LevelBatches(TrainingBatches):
    """Shuffled batches: (pixels, levels) and the weights of the squared errors, float32 (B, 1).

    Pixels are uint8 (B, H, W, 3), levels int32 (B,): random ones, spread evenly over each batch.

    Args:
        images: uint8 (N, H, W, 3).
        lambdas: the weight of the squared error of each level, float32 (256,).
        batch_size: images a batch; the last one of an epoch may be smaller.
        flip: whether images are mirrored, as in Augmentation.
        seed: of order, mirrored images and levels.
    """

    def __init__(
        self, images: np.ndarray, lambdas: np.ndarray, batch_size: int, flip: str, seed: int
    ) -> None:
        self._lambdas, self._of_levels = lambdas, seed
        no_targets = np.zeros((len(images), 0), np.float32)
        augmentation = Augmentation.model_validate({"flip": flip})
        super().__init__(images, no_targets, batch_size, augmentation, seed)

    def __getitem__(self, step: int) -> tuple:
        """Return the batch of `step`, counted from 0."""
        pixels, _ = super().__getitem__(step)
        random = generator(self._of_levels, self.epoch, _LEVELS, step)
        places = (random.permutation(len(pixels)) + random.random(len(pixels))) / len(pixels)
        levels = (places * LEVELS).astype(np.int32)
        return (pixels, levels), self._lambdas[levels][:, None]


class LevelValidation(keras.utils.PyDataset):
    """The validation images as they are, each with a level that is always the same one.

    Args:
        images: uint8 (N, H, W, 3).
        lambdas: as for LevelBatches.
        batch_size: images a batch; the last one may be smaller.
    """

    def __init__(self, images: np.ndarray, lambdas: np.ndarray, batch_size: int) -> None:
        super().__init__(workers=2, max_queue_size=8)
        self._images, self._lambdas, self._batch_size = images, lambdas, batch_size

    def __len__(self) -> int:
        """Return the number of batches."""
        return -(-len(self._images) // self._batch_size)

    def __getitem__(self, step: int) -> tuple:
        """Return the batch of `step`, counted from 0."""
        first = step * self._batch_size
        pixels = self._images[first : first + self._batch_size]
        levels = ((first + np.arange(len(pixels))) * _STRIDE % LEVELS).astype(np.int32)
        return (pixels, levels), self._lambdas[levels][:, None]
