"""The transform of blocks: orthonormal, the greatest variance first, and decorrelating."""

import numpy as np

from cifar_pipeline.codec.klt import fit_block_transform
from synthetic import synthetic_split

IMAGES = synthetic_split(200, 0)[0]


def latents(transform: object, size: int) -> np.ndarray:
    """Return the components of all blocks of IMAGES, (blocks, channels)."""
    number, side = len(IMAGES), 32 // size
    split = (IMAGES - transform.mean).reshape(number, side, size, side, size, 3)
    blocks = split.transpose(0, 1, 3, 2, 4, 5).reshape(-1, 3 * size**2)
    return blocks @ transform.kernel.reshape(3 * size**2, -1)


def test_components_are_orthonormal_and_decorrelate_blocks() -> None:
    transform = fit_block_transform(IMAGES, 4, 48)
    flat = transform.kernel.reshape(48, 48)
    np.testing.assert_allclose(flat.T @ flat, np.eye(48), atol=1e-5)
    found = latents(transform, 4)
    covariance = found.T @ found / len(found)
    np.testing.assert_allclose(np.diag(covariance), transform.deviation**2, rtol=1e-3)
    np.testing.assert_allclose(covariance - np.diag(np.diag(covariance)), 0, atol=0.5)
    assert (np.diff(transform.deviation) <= 0).all()


def test_the_first_components_are_kept() -> None:
    every, some = (fit_block_transform(IMAGES, 4, channels) for channels in (48, 5))
    assert np.array_equal(some.kernel, every.kernel[..., :5])
    assert np.array_equal(some.mean, every.mean)


def test_one_colour_gives_no_deviation() -> None:
    transform = fit_block_transform(np.full((3, 8, 8, 3), 7, np.uint8), 4, 48)
    assert transform.mean.tolist() == [7, 7, 7]
    assert np.array_equal(transform.deviation, np.zeros(48))
