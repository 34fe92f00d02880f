"""Batches of pixels and targets for `fit`, in an order that seed and epoch fix.

With more than one worker Keras turns the automatic tuning of TensorFlow's input pipeline off. That
matters: its tuning thread holds the end of every epoch back until its own timer, which doubles from
10 ms, has run out (measured: an epoch of 6 s took 10.2 s, one of 45 s took 81 s).
"""

from typing import Any

import keras
import numpy as np

from cifar_pipeline.params.augmentation import Augmentation
from cifar_pipeline.train.augmentation import Augmenter, Changes, generator

_WORKERS = 2
_QUEUE = 8


def smoothed_targets(labels: np.ndarray, classes: int, smoothing: float) -> np.ndarray:
    """Return target distributions, float32 (N, classes), of labels (N,).

    A label keeps 1 - smoothing and every class gets smoothing / classes (Szegedy et al., 2016).
    """
    one_hot = np.eye(classes, dtype=np.float32)[labels]
    return (one_hot * (1 - smoothing) + smoothing / classes).astype(np.float32)


def balanced_weights(labels: np.ndarray, classes: int) -> np.ndarray:
    """Return the weight of each image in the loss, float32 (N,), of labels (N,).

    It is N / (K n) for each of the n images of a class, of K classes that have images: each class
    weighs the same in all, and the mean weight is 1. Source: King and Zeng, "Logistic regression in
    rare events data", 2001; scikit-learn's class_weight="balanced".
    """
    sizes = np.bincount(labels, minlength=classes)
    return (len(labels) / (np.count_nonzero(sizes) * sizes[labels])).astype(np.float32)


class TrainingBatches(keras.utils.PyDataset):
    """Shuffled, augmented batches: uint8 (B, 32, 32, 3) and float32 targets (B, classes).

    With weights, these are the third item of a batch, float32 (B,): Keras' sample weights. (The
    argument `class_weight` of `fit` is not for data of this kind.)

    An epoch shows a share of the images: those whose loss was greatest when they were last shown,
    and before these the ones that were never shown.

    Args:
        images: uint8 (N, 32, 32, 3).
        targets: float32 (N, classes).
        batch_size: images a batch; the last one of an epoch may be smaller.
        augmentation: changes to the images.
        seed: of order and changes.
        share: of the images that an epoch shows, rounded to whole batches; 1: all of them.
        weights: of the images in the loss, float32 (N,); None: all weigh the same.

    Attributes:
        images: all of them, as they are, uint8 (N, 32, 32, 3).
        fill: the colour of what is cut out, uint8 (3,).
        losses: of each image when it was last shown, float32 (N,); infinite before that.
        times_shown: how often each image was shown, int32 (N,).
        shown: indices of the images of this epoch in their order, int64 (M,).
    """

    _ORDER = 0

    def __init__(
        self,
        images: np.ndarray,
        targets: np.ndarray,
        batch_size: int,
        augmentation: Augmentation,
        seed: int,
        share: float = 1.0,
        weights: np.ndarray | None = None,
    ) -> None:
        super().__init__(workers=_WORKERS, max_queue_size=_QUEUE)
        self.images = images
        self._targets = targets
        self._answers = (targets,) if weights is None else (targets, weights)
        self._batch_size = batch_size
        self._seed = seed
        self._augmenter = Augmenter(images, augmentation, seed)
        self.fill = self._augmenter.fill
        self._shown_images = len(targets)
        if share < 1:
            whole = max(round(share * len(targets) / batch_size), 1)
            self._shown_images = min(whole * batch_size, len(targets))
        self.losses = np.full(len(targets), np.inf, np.float32)
        self.times_shown = np.zeros(len(targets), np.int32)
        self.start_epoch(0)

    def start_epoch(self, epoch: int) -> None:
        """Draw order and changes of `epoch`, counted from 0, and choose its images."""
        self.epoch = epoch
        order = generator(self._seed, epoch, self._ORDER).permutation(len(self._targets))
        hardest = np.argsort(-self.losses[order], kind="stable")[: self._shown_images]
        self.shown = order[np.sort(hardest)]
        self._augmenter.start_epoch(epoch, self.times_shown)

    def record_losses(self, indices: np.ndarray, losses: np.ndarray) -> None:
        """Record that the images at `indices` were shown, with these losses, float32 (M,).

        The images of the epoch are then drawn again, by the new losses.
        """
        self.losses[indices] = losses
        self.times_shown[indices] += 1
        self.start_epoch(self.epoch)

    def restore(self, epoch: int, losses: np.ndarray, times_shown: np.ndarray) -> None:
        """Start `epoch`, counted from 0, with the losses and the times shown of that time."""
        self.losses, self.times_shown = losses, times_shown
        self.start_epoch(epoch)

    @property
    def whole_batches(self) -> int:
        """How many batches of an epoch are of the full size: all, or all but the last."""
        return self._shown_images // self._batch_size

    def __len__(self) -> int:
        """Return the number of batches an epoch."""
        return -(-self._shown_images // self._batch_size)

    def __getitem__(self, step: int) -> tuple[np.ndarray, ...]:
        """Return the batch of `step`, counted from 0."""
        indices = self._indices(step, step + 1)
        return self._augmenter.batch(indices), *(each[indices] for each in self._answers)

    def changes(self, steps: range) -> tuple[Changes, tuple[np.ndarray, ...]]:
        """Return where the pixels of the batches of `steps` come from.

        Beside it, the targets of these images; and their weights, where there are weights.
        """
        indices = self._indices(steps.start, steps.stop)
        return self._augmenter.changes(indices), tuple(each[indices] for each in self._answers)

    def _indices(self, first: int, end: int) -> np.ndarray:
        return self.shown[first * self._batch_size : end * self._batch_size]

    def on_epoch_end(self) -> None:
        """Go on to the next epoch. Keras calls this when its workers have stopped."""
        self.start_epoch(self.epoch + 1)


class ValidationBatches(keras.utils.PyDataset):
    """Images as they are, in order: uint8 (B, 32, 32, 3) and float32 targets (B, classes).

    Args:
        images: uint8 (N, 32, 32, 3), or the same in a device's memory.
        targets: float32 (N, classes).
        batch_size: images a batch; the last one may be smaller.
        workers: threads that make batches; 1: the one that asks for them.
    """

    def __init__(
        self, images: Any, targets: np.ndarray, batch_size: int, workers: int = _WORKERS
    ) -> None:
        super().__init__(workers=workers, max_queue_size=_QUEUE)
        self._images, self._targets, self._batch_size = images, targets, batch_size

    def __len__(self) -> int:
        """Return the number of batches."""
        return -(-len(self._targets) // self._batch_size)

    def __getitem__(self, step: int) -> tuple[Any, np.ndarray]:
        """Return the batch of `step`, counted from 0."""
        part = slice(step * self._batch_size, (step + 1) * self._batch_size)
        return self._images[part], self._targets[part]
