"""Random flips and translations, each a function of seed, epoch and image alone."""

import numpy as np

from cifar_pipeline.params.models import Augmentation


def generator(*key: int) -> np.random.Generator:
    """Return the random stream of `key`, for example (seed, epoch, purpose)."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(key)))


class Augmenter:
    """The changes to each training image in each epoch.

    Args:
        images: uint8 (N, H, W, 3). Not copied: a batch is padded when it is asked for.
        params: which changes.
        seed: of the random choices.
    """

    _FLIP, _TRANSLATE = 1, 2

    def __init__(self, images: np.ndarray, params: Augmentation, seed: int) -> None:
        self._params = params
        self._seed = seed
        self._images = images
        self.start_epoch(0)

    def start_epoch(self, epoch: int) -> None:
        """Draw the changes of `epoch`, counted from 0."""
        reach = self._params.translate
        stream = generator(self._seed, epoch, self._TRANSLATE)
        self._offsets = stream.integers(0, 2 * reach + 1, (len(self._images), 2))
        self._flipped = self._flips(epoch)

    def _flips(self, epoch: int) -> np.ndarray:
        """Return which images `epoch` mirrors, bool (N,)."""
        if self._params.flip == "none":
            return np.zeros(len(self._images), bool)
        # Alternating: a random half in the first epoch, and every next epoch shows each image the
        # other way round. So two epochs of all images show all of both (Jordan, 2024, section 3.6).
        alternating = self._params.flip == "alternating"
        stream = generator(self._seed, 0 if alternating else epoch, self._FLIP)
        flipped = np.less(stream.random(len(self._images)), 0.5)
        return ~flipped if alternating and epoch % 2 else flipped

    def batch(self, indices: np.ndarray) -> np.ndarray:
        """Return the augmented images of `indices` (B,) as uint8 (B, H, W, 3)."""
        number, height, width, channels = self._images.shape
        down, right = (self._offsets[indices] - self._params.translate).T[:, :, None]
        columns = np.arange(width)
        columns = np.where(self._flipped[indices, None], columns[::-1], columns)
        rows = _reflected(down + np.arange(height), height)
        columns = _reflected(right + columns, width)
        # Where each pixel comes from, as one number: one gather moves, flips and copies.
        sources = (indices[:, None] * height + rows)[:, :, None] * width + columns[:, None]
        return self._images.reshape(number * height * width, channels).take(sources, axis=0)


def _reflected(positions: np.ndarray, extent: int) -> np.ndarray:
    """Return positions within 0 to extent - 1 of ones beyond, by reflection at the edge pixels."""
    last = extent - 1
    return last - np.abs(last - np.abs(positions))
