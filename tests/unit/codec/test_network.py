"""The networks begin as a linear codec, for images of any size."""

import math

import keras
import numpy as np
import pytest

from cifar_pipeline.codec.klt import fit_block_transform
from cifar_pipeline.codec.network import (
    GREY_LEVELS,
    TRANSFORM_LAYERS,
    build_networks,
    initial_log_gains,
    lambdas,
)
from cifar_pipeline.codec.params import CodecPreset, load_preset
from closure import ROOT
from codec_trainings import NETWORK
from synthetic import synthetic_split

pytestmark = pytest.mark.trains

IMAGES = synthetic_split(40, 0)[0]
TRANSFORM = fit_block_transform(IMAGES, NETWORK.block_size, NETWORK.channels)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_an_untrained_network_is_the_linear_transform(precision: str) -> None:
    networks = build_networks(NETWORK, TRANSFORM, precision)
    pixels = IMAGES[:2].astype(np.float32)
    latents = networks.encoder.predict_on_batch(pixels)
    blocks = ((pixels - TRANSFORM.mean) / GREY_LEVELS).reshape(2, 4, 8, 4, 8, 3)
    expected = np.einsum("nyaxbc,abck->nyxk", blocks, TRANSFORM.kernel)
    np.testing.assert_allclose(latents, expected, atol=1e-4)
    # All components are there, so that nothing is lost without rounding.
    levels = np.array([0, 200], np.int32)
    scaled = latents * networks.gains.predict_on_batch(levels)
    found = networks.decoder.predict_on_batch([scaled, levels])
    np.testing.assert_allclose(found, pixels, atol=0.02)


def test_gains_rise_with_the_level_and_are_interpolated_between_knots() -> None:
    networks = build_networks(NETWORK, TRANSFORM, "float32")
    gains = networks.gains.predict_on_batch(np.arange(256, dtype=np.int32))[:, 0, 0]
    assert (np.diff(gains, axis=0) > 0).all()
    logs = initial_log_gains(NETWORK)
    np.testing.assert_allclose(np.log(gains[[0, 255], 0]), logs[[0, -1]], rtol=1e-5)
    np.testing.assert_allclose(np.log(gains[85, 0]), logs[1], rtol=1e-4)  # 4 knots: each 85 levels


def test_weights_of_the_error_are_geometric() -> None:
    found = lambdas(NETWORK)
    assert found[[0, 255]] == pytest.approx([NETWORK.lambda_min, NETWORK.lambda_max])
    np.testing.assert_allclose(np.diff(np.log(found)), np.log(found[1] / found[0]), rtol=1e-3)


def test_other_sizes_of_images_are_taken() -> None:
    networks = build_networks(NETWORK, TRANSFORM, "float32")
    latents = networks.encoder.predict_on_batch(np.zeros((1, 24, 40, 3), np.float32))
    assert latents.shape == (1, 3, 5, NETWORK.channels)
    found = networks.decoder.predict_on_batch([latents, np.array([9], np.int32)])
    assert found.shape == (1, 24, 40, 3)


def test_the_shipped_network_takes_20_million_multiplications_an_image() -> None:
    """Encoder and decoder together, counted from the kernels and the places they are laid on."""
    _, params = load_preset(ROOT / "codec/params.yaml", "train", CodecPreset)
    network = params.network
    transform = fit_block_transform(IMAGES, network.block_size, network.channels)
    networks = build_networks(network, transform, "float32")
    total = 0
    for layer in (*networks.encoder.layers, *networks.decoder.layers):
        kernel = getattr(layer, "kernel", None)
        if kernel is not None and len(kernel.shape) == 4:
            # A kernel is laid on places of maps 4 pixels apart, or on each block.
            of_blocks = layer.name in (*TRANSFORM_LAYERS, "encoder_out")
            side = 32 // (network.block_size if of_blocks else 4)
            total += math.prod(kernel.shape) * side**2
    assert 15e6 < total <= 20e6


def test_all_layers_are_keras_own() -> None:
    for network in build_networks(NETWORK, TRANSFORM, "float32"):
        config = network.get_config()
        assert keras.Model.from_config(config).count_params() == network.count_params()
