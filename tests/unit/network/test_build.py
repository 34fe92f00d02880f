"""The networks of the presets, and the saved network beside the trained one."""

from typing import get_args

import keras
import numpy as np
import pytest

from cifar_pipeline.dataset.channel_statistics import channel_statistics
from cifar_pipeline.fourier.layout import as_spatial_first
from cifar_pipeline.network.build import build_saved_network, build_training_network
from cifar_pipeline.network.whitening import whitening_filters
from cifar_pipeline.params.network import Activation
from networks import narrow_fast, shipped, small
from synthetic import synthetic_split

PRESETS = ["baseline", "fast", "best", "quick", "gpu94", "gpu96"]


def test_baseline_is_the_network_of_2017() -> None:
    images, _ = synthetic_split(10, 0)
    network = build_training_network(
        shipped("baseline"), channel_statistics(images), 10, "float32", None
    )
    kinds = [type(layer).__name__ for layer in network.layers]
    assert kinds == [
        *("InputLayer", "Rescaling"),
        *("Conv2D", "Activation"),
        *("Conv2D", "Activation", "MaxPooling2D", "Dropout"),
        *("Conv2D", "Activation", "MaxPooling2D"),
        *("Conv2D", "Activation", "MaxPooling2D", "Dropout"),
        *("Flatten", "Dense", "Dropout", "Dense", "Rescaling"),
    ]
    # 3x3 convolutions 32, 64, 128, 128 with biases, 2 x 2 x 128 maps, dense 1024 and 10.
    convolutions = 896 + 18_496 + 73_856 + 147_584
    assert network.count_params() == convolutions + (512 + 1) * 1024 + (1024 + 1) * 10


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_constant_channel_is_scaled_to_unit_range_only(precision: str) -> None:
    images, _ = synthetic_split(10, 0)
    images[..., 1] = 7
    statistics = channel_statistics(images)
    params = small(shipped("fast"))
    filters = whitening_filters(images, statistics, params.whitening_filters)
    network = build_training_network(params, statistics, 10, precision, filters)
    normalize = network.get_layer("normalize")
    normalized = keras.ops.convert_to_numpy(keras.ops.cast(normalize(images), "float32"))
    assert not normalized[..., 1].any()
    assert np.allclose(normalized[..., [0, 2]].std(axis=(0, 1, 2)), 1, atol=0.01)
    images[..., 1] = 255  # an image that was not in the training set
    unseen = keras.ops.convert_to_numpy(keras.ops.cast(normalize(images), "float32"))
    assert np.allclose(unseen[..., 1], 248 / 255, atol=0.01)
    assert np.isfinite(network(images, training=False)).all()


@pytest.mark.trains
@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_the_saved_network_computes_what_the_trained_one_does(name: str, precision: str) -> None:
    images, _ = synthetic_split(40, 1)
    statistics = channel_statistics(images)
    params = small(shipped(name))
    filters = None
    if params.whitening_filters:
        filters = whitening_filters(images, statistics, params.whitening_filters)
    trained = build_training_network(params, statistics, 10, precision, filters)
    logits = keras.ops.convert_to_numpy(trained(images, training=False))
    saved = build_saved_network(params, statistics, trained)
    probabilities = keras.ops.convert_to_numpy(saved(images))
    assert probabilities.dtype == np.float32
    expected = keras.ops.convert_to_numpy(keras.ops.softmax(logits))
    tolerance = 1e-5 if precision == "float32" else 0.05
    assert np.abs(probabilities - expected).max() < tolerance


@pytest.mark.parametrize("activation", get_args(Activation))
def test_each_activation_runs_behind_a_batch_normalisation(activation: str) -> None:
    images, _ = synthetic_split(2, 0)
    params = small(shipped("quick"))
    blocks = {"activation": activation, "batch_normalization": True, "pooling_after": "last"}
    block = params.blocks["block1"].model_copy(update=blocks)
    params = params.model_copy(update={"blocks": {"block1": block}})
    network = build_training_network(params, channel_statistics(images), 10, "float32", None)
    # As validation runs it: in a graph, whose operations TensorFlow fuses.
    expected = keras.ops.convert_to_numpy(network(images))
    assert np.abs(network.predict_on_batch(images) - expected).max() < 1e-4


def test_grey_images_have_fewer_whitening_filters_also_in_the_saved_network() -> None:
    images = synthetic_split(40, 1)[0][..., :1].repeat(3, axis=3)
    statistics = channel_statistics(images)
    params = small(shipped("fast"))
    assert params.whitening_filters == 16
    filters = whitening_filters(images, statistics, params.whitening_filters)
    trained = build_training_network(params, statistics, 10, "float32", filters)
    saved = build_saved_network(params, statistics, trained)
    for network in (trained, saved):
        assert network.get_layer("whiten").output.shape[-1] == 8
    expected = keras.ops.softmax(trained(images, training=False))
    assert np.allclose(saved(images), expected, atol=1e-5)


@pytest.mark.parametrize("convolution", ["direct", "fourier"])
def test_a_saved_network_has_the_shortcuts_of_the_trained_one(convolution: str) -> None:
    images, _ = synthetic_split(40, 1)
    statistics = channel_statistics(images)
    blocks = {
        name: block.model_copy(update={"filters": 32, "convolutions": 3, "shortcut": True})
        for name, block in shipped("fast").blocks.items()
    }
    params = shipped("fast").model_copy(update={"convolution": convolution, "blocks": blocks})
    filters = whitening_filters(images, statistics, params.whitening_filters)
    trained = build_training_network(params, statistics, 10, "float32", filters)
    expected = keras.ops.softmax(trained(images, training=False))
    saved = build_saved_network(params, statistics, trained)
    assert np.allclose(saved(images), expected, atol=1e-5)
    assert [layer.name for layer in saved.layers if isinstance(layer, keras.layers.Add)] == [
        f"block{number}_shortcut" for number in (1, 2, 3)
    ]


@pytest.mark.parametrize("convolution", ["direct", "fourier"])
def test_a_shortcut_passes_the_other_convolutions_over(convolution: str) -> None:
    """Where batch normalisation takes all that they add away, the first one's maps are left."""
    images, _ = synthetic_split(6, 1)
    statistics = channel_statistics(images)
    shapes = {"filters": 64, "convolutions": 3}
    first = shipped("fast").blocks["block2"].model_copy(update=shapes)
    for shortcut in (True, False):
        params = shipped("fast").model_copy(
            update={
                "convolution": convolution,
                "whitening": False,
                "blocks": {"block1": first.model_copy(update={"shortcut": shortcut})},
            }
        )
        network = build_training_network(params, statistics, 10, "float32", None)
        *_, variance = network.get_layer("block1_conv3_norm").variables
        variance.assign(np.full(variance.shape, 1e30, np.float32))
        parts = [network.get_layer(f"block1_conv{number}_act").output for number in (1, 3)]
        maps, last = keras.Model(network.inputs[0], parts)(images, training=False)
        if maps.shape != last.shape:  # the first is a direct convolution
            maps = as_spatial_first(maps)
        kept = keras.ops.silu(maps) if shortcut else keras.ops.zeros_like(maps)
        assert np.allclose(last, kept, atol=1e-5)
        assert (np.std(last) > 0.1) == shortcut


@pytest.mark.trains
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
