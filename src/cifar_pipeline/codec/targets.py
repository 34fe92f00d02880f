"""Quality per image: the level that comes nearest to a rate or to a PSNR that the user wants."""

from collections.abc import Callable

import numpy as np

from cifar_pipeline.codec.tables import LEVELS

_WORST, _BEST = 0, LEVELS - 1
# Beside the level that bisection ends at: bits and PSNR do not rise with every single level.
_NEIGHBOURS = (-3, -2, -1, 1, 2, 3)


def nearest_levels(
    measure: Callable[[np.ndarray], np.ndarray], target: float, images: int
) -> np.ndarray:
    """Return the level of each image that comes nearest to `target`, uint8 (images,).

    Args:
        measure: returns a number of each image, (images,), of its level, uint8 (images,); it rises
            with the level for the most part.
        target: of that number.
        images: how many there are.
    """
    best = np.zeros(images, np.int64)
    miss = np.full(images, np.inf)

    def tried(levels: np.ndarray) -> np.ndarray:
        """Note the levels that are nearer than what was tried before."""
        found = measure(levels.astype(np.uint8))
        nearer = np.abs(found - target) < miss
        best[nearer], miss[nearer] = levels[nearer], np.abs(found - target)[nearer]
        return found

    low, high = np.full(images, _WORST), np.full(images, _BEST)
    for _ in range(LEVELS.bit_length() - 1):
        middle = (low + high) // 2
        is_below = tried(middle) < target
        low = np.where(is_below, np.minimum(middle + 1, _BEST), low)
        high = np.where(is_below, high, np.maximum(middle - 1, _WORST))
        high = np.maximum(high, low)
    tried(low)
    centre = best.copy()
    for step in _NEIGHBOURS:
        tried(np.clip(centre + step, _WORST, _BEST))
    return best.astype(np.uint8)
