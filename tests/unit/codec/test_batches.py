"""Batches with levels: spread evenly, and the same for a seed and an epoch."""

import numpy as np

from cifar_pipeline.codec.batches import LevelBatches, LevelValidation
from synthetic import synthetic_split

IMAGES = synthetic_split(70, 0)[0]
LAMBDAS = np.geomspace(0.001, 0.1, 256).astype(np.float32)


def test_levels_are_spread_over_each_batch() -> None:
    batches = LevelBatches(IMAGES, LAMBDAS, 32, "random", seed=1)
    assert len(batches) == 3
    for step in range(2):
        (pixels, levels), weights = batches[step]
        assert (pixels.dtype, levels.dtype, weights.shape) == (np.uint8, np.int32, (32, 1))
        assert sorted(levels // 8) == list(range(32))  # one in each 32nd of the levels
        assert (np.diff(levels) < 0).any()
        assert np.array_equal(weights[:, 0], LAMBDAS[levels])


def test_seed_and_epoch_fix_everything() -> None:
    one, other = (LevelBatches(IMAGES, LAMBDAS, 32, "random", seed=1) for _ in range(2))
    one.on_epoch_end()
    other.restore(1, other.losses, other.times_shown)
    for step in (2, 0):
        (pixels, levels), _ = one[step]
        (others, other_levels), _ = other[step]
        assert np.array_equal(pixels, others)
        assert np.array_equal(levels, other_levels)
    assert not np.array_equal(one[0][0][1], LevelBatches(IMAGES, LAMBDAS, 32, "none", 1)[0][0][1])


def test_validation_images_have_levels_of_their_own() -> None:
    images = np.zeros((300, 8, 8, 3), np.uint8)
    batches = LevelValidation(images, LAMBDAS, 100)
    levels = np.concatenate([batches[step][0][1] for step in range(len(batches))])
    assert sorted(levels[:256]) == list(range(256))
    assert len(levels) == 300
