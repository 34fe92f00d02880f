"""The loss: of rounded latents when it is measured, with noise and gradients when it is trained."""

import numpy as np
import pytest
from keras import ops

from cifar_pipeline.codec.klt import fit_block_transform
from cifar_pipeline.codec.network import GREY_LEVELS, build_networks
from cifar_pipeline.codec.prior import LogisticMixture
from cifar_pipeline.codec.rate_distortion import RateDistortion, weighted_loss
from codec_trainings import NETWORK
from synthetic import synthetic_split

pytestmark = pytest.mark.trains

IMAGES = synthetic_split(6, 0)[0]
LEVELS = np.array([0, 50, 100, 150, 200, 255], np.int32)


@pytest.fixture(scope="module")
def model() -> RateDistortion:
    transform = fit_block_transform(IMAGES, NETWORK.block_size, NETWORK.channels)
    prior = LogisticMixture(transform.deviation / GREY_LEVELS, 2)
    return RateDistortion(build_networks(NETWORK, transform, "float32"), prior, seed=1)


def test_rate_and_error_are_those_of_rounded_latents(model: RateDistortion) -> None:
    found = ops.convert_to_numpy(model((IMAGES, LEVELS)))
    gains = model.gains.predict_on_batch(LEVELS)
    symbols = np.round(model.encoder.predict_on_batch(IMAGES.astype(np.float32)) * gains)
    pixels = model.decoder.predict_on_batch([symbols, LEVELS])
    np.testing.assert_allclose(
        found[:, 1], np.square(pixels - IMAGES).mean(axis=(1, 2, 3)), rtol=1e-4
    )
    bits = ops.convert_to_numpy(model.prior(ops.convert_to_tensor(symbols), gains))
    np.testing.assert_allclose(found[:, 0], bits.sum(axis=(1, 2, 3)) / 1024, rtol=1e-4)
    assert (np.diff(found[:, 0]) > 0).all()
    assert (np.diff(found[:, 1]) < 0).all()


def test_noise_is_new_in_each_step_and_about_as_costly_as_rounding(model: RateDistortion) -> None:
    still = ops.convert_to_numpy(model((IMAGES, LEVELS)))
    first, second = (ops.convert_to_numpy(model((IMAGES, LEVELS), training=True)) for _ in range(2))
    assert (first[:, 0] != second[:, 0]).all()
    np.testing.assert_array_equal(first[:, 1], still[:, 1])
    np.testing.assert_allclose(first[4:, 0], still[4:, 0], rtol=0.05)


def test_the_loss_weighs_the_error() -> None:
    found = weighted_loss(np.array([[0.1], [0.2]]), np.array([[1.0, 10.0], [2.0, 20.0]]))
    np.testing.assert_allclose(found, [2.0, 6.0])
