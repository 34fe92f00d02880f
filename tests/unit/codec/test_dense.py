"""The autoencoder of 2017."""

import numpy as np

from cifar_pipeline.codec.dense import build_dense_autoencoder, half_squared_error
from cifar_pipeline.codec.params import DenseNetwork


def test_it_has_the_parameters_of_the_notebook() -> None:
    params = DenseNetwork(filters=32, code_length=128)
    halves = build_dense_autoencoder(params, (32, 32, 3), "float32")
    assert sum(half.count_params() for half in halves) == 4_035_808
    codes = halves.encoder.predict_on_batch(np.full((2, 32, 32, 3), 200.0, np.float32))
    assert codes.shape == (2, 128)
    assert np.abs(codes).max() < 1
    pixels = halves.decoder.predict_on_batch(codes)
    assert pixels.shape == (2, 32, 32, 3)
    assert 0 <= pixels.min() <= pixels.max() <= 255


def test_the_loss_is_half_the_sum_of_squares() -> None:
    white, black = np.full((1, 2, 2, 3), 255, np.uint8), np.zeros((1, 2, 2, 3), np.uint8)
    assert half_squared_error(white, black.astype(np.float32)).numpy() == [6.0]
