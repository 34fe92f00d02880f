"""Random changes to images: functions of seed, epoch, image and how often it was shown.

`Augmenter.changes` draws them; `augmented` (NumPy) and `augmented_on_device` (JAX) apply them.
"""

from typing import Any, NamedTuple

import numpy as np

from cifar_pipeline.params.augmentation import Augmentation


def generator(*key: int) -> np.random.Generator:
    """Return the random stream of `key`, for example (seed, epoch, purpose)."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(key)))


class Changes(NamedTuple):
    """Where the pixels of augmented images come from.

    Attributes:
        indices: of the images, int64 (B,).
        rows: which row of the image each row comes from, int64 (B, H).
        columns: the same, int64 (B, W).
        cut_rows: whether a row crosses what is cut out, bool (B, H).
        cut_columns: the same, bool (B, W).
    """

    indices: np.ndarray
    rows: np.ndarray
    columns: np.ndarray
    cut_rows: np.ndarray
    cut_columns: np.ndarray


class Augmenter:
    """The changes to each training image in each epoch.

    Args:
        images: uint8 (N, H, W, 3). Not copied: a batch is padded when it is asked for.
        params: which changes.
        seed: of the random choices.

    Attributes:
        fill: the colour of what is cut out, the images' mean, uint8 (3,).
    """

    _FLIP, _TRANSLATE, _CUTOUT = 1, 2, 3

    def __init__(self, images: np.ndarray, params: Augmentation, seed: int) -> None:
        self._params = params
        self._seed = seed
        self._images = images
        self.fill = np.zeros(images.shape[-1], np.uint8)
        if params.cutout:
            self.fill = np.round(images.mean(axis=(0, 1, 2))).astype(np.uint8)
        self.start_epoch(0, np.zeros(len(images), np.int32))

    def start_epoch(self, epoch: int, times_shown: np.ndarray) -> None:
        """Draw the changes of `epoch`, counted from 0, to images shown so often, int (N,)."""
        reach = self._params.translate
        stream = generator(self._seed, epoch, self._TRANSLATE)
        self._offsets = stream.integers(0, 2 * reach + 1, (len(self._images), 2))
        self._flipped = self._flips(epoch, times_shown)
        self._cut_from = np.zeros((len(self._images), 2), np.int64)
        if self._params.cutout:
            free = self._images.shape[1] - self._params.cutout + 1
            stream = generator(self._seed, epoch, self._CUTOUT)
            self._cut_from = stream.integers(0, free, (len(self._images), 2))

    def _flips(self, epoch: int, times_shown: np.ndarray) -> np.ndarray:
        """Return which images `epoch` mirrors, bool (N,)."""
        number = len(self._images)
        if self._params.flip == "none":
            return np.zeros(number, bool)
        if self._params.flip == "random":
            return generator(self._seed, epoch, self._FLIP).random(number) < 0.5
        # Alternating: a random half of the images begins mirrored, and each is then shown the other
        # way round than it last was (Jordan, 2024, section 3.6, where every epoch shows them all).
        # (Of the two halves the upper one, as when flips went by epochs: the same bits.)
        begins_mirrored = generator(self._seed, 0, self._FLIP).random(number) >= 0.5
        return begins_mirrored ^ (times_shown % 2 == 1)

    def changes(self, indices: np.ndarray) -> Changes:
        """Return the changes to the images of `indices` (B,)."""
        _, height, width, _ = self._images.shape
        down, right = (self._offsets[indices] - self._params.translate).T[:, :, None]
        columns = np.arange(width)
        columns = np.where(self._flipped[indices, None], columns[::-1], columns)
        top, left = self._cut_from[indices].T[:, :, None]
        return Changes(
            indices=indices,
            rows=_reflected(down + np.arange(height), height),
            columns=_reflected(right + columns, width),
            cut_rows=_within(np.arange(height), top, self._params.cutout),
            cut_columns=_within(np.arange(width), left, self._params.cutout),
        )

    def batch(self, indices: np.ndarray) -> np.ndarray:
        """Return the augmented images of `indices` (B,) as uint8 (B, H, W, 3)."""
        return augmented(self._images, self.fill, self.changes(indices))


def augmented(images: np.ndarray, fill: np.ndarray, changes: Changes) -> np.ndarray:
    """Return a batch of changed images, made by NumPy.

    Args:
        images: all of them, uint8 (N, H, W, 3).
        fill: the colour of what is cut out, uint8 (3,).
        changes: of the batch.

    Returns:
        uint8 (B, H, W, 3).
    """
    number, height, width, channels = images.shape
    # Where each pixel comes from, as one number: one gather moves, flips and copies.
    rows = changes.indices[:, None] * height + changes.rows
    sources = rows[:, :, None] * width + changes.columns[:, None]
    changed = images.reshape(number * height * width, channels).take(sources, axis=0)
    if changes.cut_rows.any():
        changed[changes.cut_rows[:, :, None] & changes.cut_columns[:, None]] = fill
    return changed


def augmented_on_device(images: Any, fill: Any, changes: Changes, arrays: Any = None) -> Any:
    """Return what `augmented` does, to the pixel, made by JAX on the device.

    Args:
        images: all of them, uint8 (N, H, W, 3), on the device.
        fill: the colour of what is cut out, uint8 (3,).
        changes: of the batch.
        arrays: NumPy or a module like it; None: jax.numpy.

    Returns:
        uint8 (B, H, W, 3).
    """
    if arrays is None:
        import jax.numpy as arrays

    rows, columns = changes.rows[:, :, None], changes.columns[:, None]
    moved = images[changes.indices[:, None, None], rows, columns]
    cut = changes.cut_rows[:, :, None] & changes.cut_columns[:, None]
    return arrays.where(cut[..., None], fill, moved)


def _within(positions: np.ndarray, first: np.ndarray, number: int) -> np.ndarray:
    """Say which positions are of the `number` that begin at `first`."""
    return (positions >= first) & (positions < first + number)


def _reflected(positions: np.ndarray, extent: int) -> np.ndarray:
    """Return positions within 0 to extent - 1 of ones beyond, by reflection at the edge pixels."""
    last = extent - 1
    return last - np.abs(last - np.abs(positions))
