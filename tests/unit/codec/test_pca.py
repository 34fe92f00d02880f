import numpy as np
import pytest

from cifar_pipeline.codec.pca import Pca, fit_pca

# Smooth, so that few components hold most of them.
IMAGES = (
    np.random.default_rng(0)
    .integers(0, 256, (60, 4, 4, 3), dtype=np.uint8)
    .repeat(2, axis=1)
    .repeat(2, axis=2)
)


def fitted(channels: int = 48, tile: int = 4) -> Pca:
    return fit_pca(IMAGES, tile, channels, coarsest=100, finest=0.5)


@pytest.mark.parametrize("tile", [2, 4, 8])
def test_all_components_keep_every_pixel(tile: int) -> None:
    pca = fitted(tile * tile * 3, tile)
    levels = np.full(len(IMAGES), 255, np.uint8)
    features = pca.features(IMAGES)
    assert features.shape == (60, 8 // tile, 8 // tile, tile * tile * 3)
    again = pca.pixels(pca.symbols(features, levels), levels)
    assert (again == IMAGES).all()


def test_components_are_orthonormal_and_ordered() -> None:
    pca = fitted(12)
    assert pca.components @ pca.components.T == pytest.approx(np.eye(12), abs=1e-5)
    spread = pca.features(IMAGES).std(axis=(0, 1, 2))
    assert (np.diff(spread) < 1e-3).all()
    # 2 x 2 equal pixels: twelve numbers are all that a tile of 4 x 4 has.
    levels = np.full(len(IMAGES), 255, np.uint8)
    assert (pca.pixels(pca.symbols(pca.features(IMAGES), levels), levels) == IMAGES).all()


def test_each_image_has_its_own_level() -> None:
    pca = fitted()
    symbols = pca.symbols(pca.features(IMAGES[:2]), np.array([0, 255], np.uint8))
    assert np.abs(symbols[0]).max() < np.abs(symbols[1]).max()
    errors = np.abs(pca.pixels(symbols, np.array([0, 255], np.uint8)) - IMAGES[:2].astype(int))
    assert errors[0].max() > errors[1].max() == 0
