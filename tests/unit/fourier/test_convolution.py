"""Convolutions by Fourier transforms give what direct ones give, with fewer multiplications."""

import keras
import numpy as np
import pytest

from cifar_pipeline.backend.device import processor_computes_in_bfloat16
from cifar_pipeline.dataset.channel_statistics import channel_statistics
from cifar_pipeline.fourier.convolution import FourierConv2D, fourier_saves_time
from cifar_pipeline.fourier.inference import with_fourier_convolutions
from cifar_pipeline.fourier.layout import as_batch_first, as_spatial_first, max_pooled
from cifar_pipeline.fourier.matrices import multiplications
from cifar_pipeline.network.activations import silu
from cifar_pipeline.network.build import build_saved_network, build_training_network
from cifar_pipeline.network.whitening import whitening_filters
from cifar_pipeline.train.loop import Split, fit
from networks import narrow_fast, normal
from synthetic import synthetic_split

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


def values_and_gradients(function, inputs: list[np.ndarray], upstream: np.ndarray):
    """Return what `function` makes of the inputs, and what it makes of upstream gradients."""
    import tensorflow as tf

    tensors = [tf.constant(value) for value in inputs]
    with tf.GradientTape() as tape:
        tape.watch(tensors)
        results = function(*tensors)
    gradients = tape.gradient(results, tensors, output_gradients=tf.constant(upstream))
    return [np.array(value) for value in (results, *gradients)]


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


def test_the_multiplications_of_7x7_maps() -> None:
    """94 products instead of 441 for each channel and filter, and the transforms."""
    assert multiplications(7, 3, "same", 1, 0)[0] == 0
    directly, by_fourier = multiplications(7, 3, "same", 256, 256)
    assert directly == 441 * 256 * 256
    # Rows: 8x7 for 7 columns. Two real lines of 11 products, three complex ones of 24.
    transform = 8 * 7 * 7 + 2 * 11 * 7 + 3 * 24 * 14
    assert by_fourier == 94 * 256 * 256 + 2 * transform * 256


@pytest.mark.parametrize(
    ("shape", "saves"),
    [
        ((7, 3, "same", 256, 256), True),
        ((15, 3, "same", 64, 256), True),
        ((31, 3, "same", 24, 64), False),  # few channels: the transforms cost too much
        ((7, 3, "same", 8, 8), False),
        ((7, 1, "same", 256, 256), False),
    ],
)
def test_it_is_chosen_where_it_saves_time(shape: tuple, saves: bool) -> None:
    assert fourier_saves_time(*shape) == saves


def test_maps_that_are_not_square_are_refused() -> None:
    with pytest.raises(ValueError, match="must be square, got 7 rows and 6 columns"):
        FourierConv2D(4, 3).build((7, 6, None, 4))


@pytest.mark.parametrize(("side", "size"), [(7, 2), (8, 2), (7, 3)])
def test_pooling_of_spatial_first_maps(side: int, size: int) -> None:
    maps = normal(3, side, side, 4)
    expected = np.array(ops.max_pool(maps, size, padding="valid"))
    symbolic = keras.Input((side, side, 4))
    pooled = as_batch_first(max_pooled(as_spatial_first(symbolic), size))
    network = keras.Model(symbolic, pooled)
    assert np.array_equal(np.array(network(maps)), expected)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_silu_and_its_gradient(dtype: str) -> None:
    values = np.linspace(-20, 20, 1000, dtype=np.float32)
    upstream = normal(1000)

    def in_dtype(activation):
        return lambda values: ops.cast(activation(ops.cast(values, dtype)), "float32")

    (results, gradients), expected = (
        values_and_gradients(in_dtype(activation), [values], upstream)
        for activation in (silu, keras.activations.silu)
    )
    assert np.array_equal(results, expected[0])
    assert np.abs(gradients - expected[1]).max() < {"float32": 1e-5, "bfloat16": 0.05}[dtype]


def test_both_algorithms_are_the_same_network() -> None:
    images, labels = synthetic_split(40, 1)
    statistics = channel_statistics(images)
    filters = whitening_filters(images, statistics, narrow_fast().whitening_filters)
    targets = np.eye(10, dtype=np.float32)[labels]
    results = []
    for convolution in ("direct", "fourier"):
        keras.utils.set_random_seed(3)
        params = narrow_fast(convolution=convolution)
        network = build_training_network(params, statistics, 10, "float32", filters)
        kinds_used = {type(layer).__name__ for layer in network.layers}
        assert ("FourierConv2D" in kinds_used) == (convolution == "fourier")
        loss = keras.losses.CategoricalCrossentropy(from_logits=True)
        network.compile(optimizer=keras.optimizers.SGD(0.1), loss=loss)
        for _ in range(3):
            network.train_on_batch(images, targets)
        saved = build_saved_network(params, statistics, network)
        assert "FourierConv2D" not in {type(layer).__name__ for layer in saved.layers}
        results.append((network.get_weights(), saved.predict(images, verbose=0)))
    (weights, probabilities), (others, other_probabilities) = results
    for value, other in zip(weights, others, strict=True):
        assert np.abs(value - other).max() < 2e-3 * max(1, np.abs(value).max())
    assert np.abs(probabilities - other_probabilities).max() < 2e-3


def test_a_quicker_copy_of_a_saved_model_answers_the_same() -> None:
    images, _ = synthetic_split(40, 1)
    params, statistics = narrow_fast(convolution="direct"), channel_statistics(images)
    trained = build_training_network(
        params,
        statistics,
        10,
        "float32",
        whitening_filters(images, statistics, params.whitening_filters),
    )
    model = build_saved_network(params, statistics, trained)
    quicker = with_fourier_convolutions(model)
    assert [layer.name for layer in quicker.layers] == [layer.name for layer in model.layers]
    assert "BatchFirstFourierConv2D" in {type(layer).__name__ for layer in quicker.layers}
    expected = model.predict_on_batch(images)
    assert np.abs(quicker.predict_on_batch(images) - expected).max() < 1e-5
    assert "BatchFirstFourierConv2D" not in {type(layer).__name__ for layer in model.layers}


def test_other_convolutions_stay_direct() -> None:
    """Strides, dilation, groups, an activation, kernels or maps that are not square."""
    maps = pixels = keras.Input((15, 15, 64))
    for options in (
        {"strides": 2, "padding": "same"},
        {"dilation_rate": 2, "padding": "same"},
        {"groups": 2, "padding": "same"},
        {"activation": "relu", "padding": "same"},
    ):
        maps = keras.layers.Conv2D(64, 3, **options)(maps)
    maps = keras.layers.Conv2D(64, (3, 2), padding="valid")(maps)
    maps = keras.layers.Conv2D(64, 3, padding="same")(maps)
    quicker = with_fourier_convolutions(keras.Model(pixels, maps))
    assert {type(layer).__name__ for layer in quicker.layers} == {"InputLayer", "Conv2D"}


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_two_trainings_end_in_the_same_bits(precision: str) -> None:
    images, labels = synthetic_split(60, 1)
    split = Split(images, labels)
    params = narrow_fast(convolution="fourier", epochs=3, batch_size=25)
    one, other = (
        fit(params, 1, precision, split, split, channel_statistics(images)) for _ in range(2)
    )
    assert one.history.equals(other.history)
    for value, again in zip(one.network.get_weights(), other.network.get_weights(), strict=True):
        assert value.tobytes() == again.tobytes()
