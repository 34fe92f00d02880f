"""Convolutions by Fourier transforms give what direct ones give, with fewer multiplications."""

import keras
import numpy as np
import pytest

from cifar_pipeline.backend.device import processor_computes_in_bfloat16
from cifar_pipeline.fourier.convolution import FourierConv2D
from cifar_pipeline.fourier.layout import as_batch_first, as_spatial_first
from cifar_pipeline.fourier.matrices import fourier_saves_time
from networks import normal, values_and_gradients

ops = keras.ops
SHAPES = [  # side, kernel size, padding: even and odd periods, with and without complex lines
    (7, 3, "same"),
    (15, 3, "same"),
    (6, 3, "same"),
    (3, 3, "same"),
    (1, 3, "same"),
    (7, 2, "same"),
    (8, 5, "same"),
    (9, 3, "valid"),
    (8, 4, "valid"),
    (2, 1, "same"),
]


@pytest.mark.parametrize(("side", "size", "padding"), SHAPES)
def test_it_computes_what_conv2d_does(side: int, size: int, padding: str) -> None:
    fourier = FourierConv2D(5, size, padding)
    direct = keras.layers.Conv2D(5, size, padding=padding)
    fourier.build((side, side, None, 4))
    direct.build((None, side, side, 4))
    direct.set_weights([normal(size, size, 4, 5), normal(5)])
    fourier.set_weights(direct.get_weights())
    maps = normal(3, side, side, 4)
    expected = np.array(direct(maps))
    results = np.array(fourier(maps.transpose(1, 2, 0, 3)))
    assert results.shape == fourier.compute_output_shape((side, side, 3, 4))
    assert np.abs(results.transpose(2, 0, 1, 3) - expected).max() < 1e-5


@pytest.mark.parametrize(("side", "kept"), [(7, 6), (15, 14), (15, 4)])
def test_what_a_pooling_leaves_out_is_not_computed(side: int, kept: int) -> None:
    maps, kernel = normal(3, side, side, 4), normal(3, 3, 4, 5)
    layer = FourierConv2D(5, 3, "same", use_bias=False, kept=kept)
    layer.build((side, side, None, 4))
    layer.set_weights([kernel])
    results = np.array(as_batch_first(layer(as_spatial_first(maps))))
    expected = np.array(ops.conv(maps, kernel, padding="same"))[:, :kept, :kept]
    assert results.shape == expected.shape
    assert np.abs(results - expected).max() < 1e-5


@pytest.mark.parametrize(("side", "size", "padding"), SHAPES)
def test_its_gradients_are_those_of_conv2d(side: int, size: int, padding: str) -> None:
    maps, kernel = normal(3, side, side, 4), normal(size, size, 4, 5)
    fourier = FourierConv2D(5, size, padding, use_bias=False)
    fourier.build((side, side, None, 4))

    def by_fourier(maps, kernel):
        with keras.StatelessScope(state_mapping=[(fourier.kernel, kernel)]):
            return as_batch_first(fourier(as_spatial_first(maps)))

    def directly(maps, kernel):
        return ops.conv(maps, kernel, padding=padding)

    upstream = normal(*np.array(directly(maps, kernel)).shape)
    for result, expected in zip(
        values_and_gradients(by_fourier, [maps, kernel], upstream),
        values_and_gradients(directly, [maps, kernel], upstream),
        strict=True,
    ):
        assert np.abs(result - expected).max() < 1e-4


def test_bfloat16_costs_it_little_more_than_a_direct_convolution() -> None:
    maps, kernel = normal(8, 7, 7, 64), normal(3, 3, 64, 64)
    exact = np.array(ops.conv(maps, kernel, padding="same"))

    def error(results) -> float:
        difference = np.array(ops.cast(results, "float32")) - exact
        return float(np.linalg.norm(difference) / np.linalg.norm(exact))

    half = [ops.cast(values, "bfloat16") for values in (maps, kernel)]
    fourier = FourierConv2D(64, 3, "same", use_bias=False, dtype="mixed_bfloat16")
    fourier.build((7, 7, None, 64))
    fourier.set_weights([kernel])
    results = as_batch_first(fourier(as_spatial_first(half[0])))
    # Where TensorFlow emulates bfloat16, which `auto` never chooses, its products lose more.
    allowed = 2.5 if processor_computes_in_bfloat16() else 5
    directly = error(ops.conv(*half, padding="same"))
    assert directly < 0.004
    assert error(results) < allowed * directly


@pytest.mark.parametrize(
    ("shape", "saves"),
    [
        ((7, 3, "same", 256, 256), True),
        ((15, 3, "same", 64, 256), True),
        ((31, 3, "same", 24, 64), False),  # few channels: the transforms cost too much
        ((7, 3, "same", 8, 8), False),
        ((7, 1, "same", 256, 256), False),
        ((32, 31, "same", 64, 64), True),
        # The matrix that transforms the kernels has too many numbers.
        ((32, 35, "same", 64, 64), False),
        ((32, 128, "same", 256, 256), False),
    ],
)
def test_it_is_chosen_where_it_saves_time(shape: tuple, saves: bool) -> None:
    assert fourier_saves_time(*shape) == saves


def test_maps_that_are_not_square_are_refused() -> None:
    with pytest.raises(ValueError, match="must be square, got 7 rows and 6 columns"):
        FourierConv2D(4, 3).build((7, 6, None, 4))
