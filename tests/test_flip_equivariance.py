"""`flip_equivariant`: an image and its mirror image are seen alike, with half of the weights."""

import keras
import numpy as np
import pytest

from cifar_pipeline.dataset.channel_statistics import channel_statistics
from cifar_pipeline.fourier.layout import as_batch_first, as_spatial_first
from cifar_pipeline.network.build import build_saved_network, build_training_network
from cifar_pipeline.network.flip_equivariance import (
    FlipEquivariantBatchNormalization,
    FlipEquivariantConv2D,
    FlipEquivariantFourierConv2D,
    FlipInvariantDense,
    halves_swapped,
    mirrored_filters,
    one_of_each_pair,
)
from cifar_pipeline.network.whitening import whitening_filters
from cifar_pipeline.params.presets import ModelParams
from cifar_pipeline.train.stage import Split, fit
from networks import narrow_fast, normal
from synthetic import synthetic_split

ops = keras.ops
IMAGES, LABELS = synthetic_split(40, 1)
STATISTICS = channel_statistics(IMAGES)


def recipe(**changes: object) -> ModelParams:
    return narrow_fast(flip_equivariant=True, **changes)


def without_pooling(params: ModelParams) -> ModelParams:
    """Poolings leave the last row and column of odd maps out, which no mirror image does."""
    blocks = {
        name: block.model_copy(update={"pooling": 1}) for name, block in params.blocks.items()
    }
    return params.model_copy(update={"blocks": blocks})


def network_of(params: ModelParams, precision: str = "float32") -> keras.Model:
    number = params.whitening_filters
    whitening = whitening_filters(IMAGES, STATISTICS, number, True) if number else None
    return build_training_network(params, STATISTICS, 10, precision, whitening)


def trained(network: keras.Model) -> keras.Model:
    """Train for three steps, so that no weight is where it began."""
    loss = keras.losses.CategoricalCrossentropy(from_logits=True)
    network.compile(optimizer=keras.optimizers.SGD(0.1), loss=loss)
    for _ in range(3):
        network.train_on_batch(IMAGES, np.eye(10, dtype=np.float32)[LABELS])
    return network


@pytest.mark.parametrize("convolution", ["direct", "fourier"])
@pytest.mark.parametrize("whitening", [True, False, 24])
@pytest.mark.parametrize("pooling", ["max", "average"])
def test_a_mirrored_image_gets_the_same_answer(
    convolution: str, whitening: bool, pooling: str
) -> None:
    params = recipe(convolution=convolution, whitening=whitening)
    head = params.head.model_copy(update={"pooling": pooling, "dense_units": 16})
    blocks = dict(params.blocks)
    blocks["block3"] = blocks["block3"].model_copy(update={"shortcut": True, "kernel_size": 5})
    # Coarse patterns: the means of fine noise are alike in both directions.
    images = IMAGES[:4, ::8, ::8].repeat(8, axis=1).repeat(8, axis=2)
    differences = []
    for in_pairs in (True, False):
        changes = {"head": head, "blocks": blocks, "flip_equivariant": in_pairs}
        network = network_of(without_pooling(params.model_copy(update=changes)))
        for value in network.trainable_variables:  # of biases too: they begin at 0
            value.assign(value + 0.1 * normal(*value.shape))
        plain, mirrored = (np.array(network(part)) for part in (images, images[:, :, ::-1]))
        differences.append(np.abs(mirrored - plain).max() / np.abs(plain).max())
    assert differences[0] < 1e-3
    assert differences[1] > 1e-2


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("convolution", ["direct", "fourier"])
def test_the_saved_network_is_plain_and_computes_what_the_trained_one_does(
    convolution: str, precision: str
) -> None:
    params = recipe(convolution=convolution)
    network = trained(network_of(params, precision))
    kinds = {type(layer).__name__ for layer in network.layers}
    assert ("FlipEquivariantFourierConv2D" in kinds) == (convolution == "fourier")
    saved = build_saved_network(params, STATISTICS, network)
    kinds = {type(layer) for layer in saved.layers if layer.weights}
    assert kinds == {
        keras.layers.Conv2D,
        keras.layers.BatchNormalization,
        keras.layers.Dense,
    }
    expected = np.array(ops.softmax(network(IMAGES, training=False)))
    tolerance = {"float32": 1e-5, "bfloat16": 0.05}[precision]
    assert np.abs(np.array(saved(IMAGES)) - expected).max() < tolerance


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_fit_trains_it(precision: str) -> None:
    params = recipe(batch_size=20, epochs=8, hardest_share=1.0)
    stopping = params.early_stopping.model_copy(update={"start_from_epoch": 7})
    split = Split(IMAGES, LABELS)
    params = params.model_copy(update={"early_stopping": stopping})
    first, second = (fit(params, 1, precision, split, split, STATISTICS) for _ in range(2))
    for value, other in zip(first.network.get_weights(), second.network.get_weights(), strict=True):
        assert np.array_equal(value, other)
    assert first.history["loss"].iloc[-1] < 0.8 * first.history["loss"].iloc[0]
    whitening = first.network.get_layer("whiten").get_weights()[0]
    assert np.allclose(whitening[:, ::-1], whitening[..., mirrored_filters(whitening)], atol=1e-4)
    saved = build_saved_network(params, STATISTICS, first.network)
    kernel = saved.get_layer("block2_conv2").get_weights()[0]
    half = kernel.shape[-1] // 2
    mirrored = kernel[:, ::-1, halves_swapped(kernel.shape[2]), :half]
    assert np.array_equal(kernel[..., half:], mirrored)


def test_half_as_many_weights_are_learnt() -> None:
    params = recipe()
    learnt, all_of_them = (
        sum(int(np.prod(value.shape)) for value in network.trainable_variables)
        for network in (
            network_of(params),
            network_of(params.model_copy(update={"flip_equivariant": False})),
        )
    )
    assert learnt - 10 == (all_of_them - 10) // 2  # the logits' ten biases are whole


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("padding", ["same", "valid"])
def test_convolutions_are_plain_ones_of_twice_the_weights(padding: str, bias: bool) -> None:
    maps = normal(3, 15, 15, 8)
    options = {"padding": padding, "use_bias": bias}
    for layer, call in (
        (FlipEquivariantConv2D(6, 3, halves_swapped(8), **options), lambda layer: layer(maps)),
        (
            FlipEquivariantFourierConv2D(6, 3, halves_swapped(8), **options),
            lambda layer: as_batch_first(layer(as_spatial_first(maps))),
        ),
    ):
        call(layer)
        for value in layer.trainable_variables:
            value.assign(normal(*value.shape))
        plain = keras.layers.Conv2D(6, 3, **options)
        plain.build(maps.shape)
        plain.set_weights(layer.plain_weights())
        answers = np.array(call(layer))
        assert np.allclose(answers, plain(maps), atol=1e-3)
        symbolic = keras.Input(maps.shape[1:])
        if isinstance(layer, FlipEquivariantConv2D):
            assert layer(symbolic).shape == (None, *answers.shape[1:])
        turned = np.array(plain(np.concatenate([maps[..., 4:], maps[..., :4]], -1)[:, :, ::-1]))
        expected = np.concatenate([answers[..., 3:], answers[..., :3]], -1)[:, :, ::-1]
        assert np.allclose(turned, expected, atol=1e-3)


@pytest.mark.parametrize("shape", [(6, 5, 5, 8), (5, 5, 6, 8)])
def test_batch_normalisation_takes_both_of_a_pair_together(shape: tuple[int, ...]) -> None:
    maps = normal(*shape) * np.arange(1, 9) + np.arange(8)
    layer = FlipEquivariantBatchNormalization(momentum=0, epsilon=1e-5, scale=False)
    pairs = maps.reshape(-1, 2, 4)
    expected = (pairs - pairs.mean(axis=(0, 1))) / pairs.std(axis=(0, 1))
    assert np.allclose(layer(maps, training=True), expected.reshape(shape), atol=1e-3)
    assert np.allclose(layer.moving_mean, pairs.mean(axis=(0, 1)), atol=1e-4)
    plain = keras.layers.BatchNormalization(epsilon=1e-5, scale=False)
    plain.build(shape)
    plain.set_weights(layer.plain_weights())
    assert np.allclose(plain(maps), layer(maps, training=False), atol=1e-4)


def test_the_dense_layer_weighs_both_of_a_pair_alike() -> None:
    features = normal(5, 8)
    layer = FlipInvariantDense(3, activation="relu")
    answers = layer(features)
    plain = keras.layers.Dense(3, activation="relu")
    plain.build(features.shape)
    plain.set_weights(layer.plain_weights())
    assert np.allclose(answers, plain(features), atol=1e-5)
    assert np.allclose(answers, layer(features[:, halves_swapped(8)]), atol=1e-5)


@pytest.mark.parametrize("grey", [False, True])
def test_whitening_filters_are_mirrored_by_themselves_or_their_negatives(grey: bool) -> None:
    """Grey pictures have many directions in which nothing varies, all with the eigenvalue 0."""
    images = IMAGES[..., :1].repeat(3, axis=-1) if grey else IMAGES
    kernel = whitening_filters(images, channel_statistics(images), 16, symmetric=True)
    mirrored = mirrored_filters(kernel)
    assert np.allclose(kernel[:, ::-1], kernel[..., mirrored], atol=1e-4)
    assert sorted(mirrored) == list(range(16))
    filters = np.arange(8)
    assert set(mirrored[:8] - filters) <= {0, 8}
    assert len(one_of_each_pair(mirrored)) == 16 - sum(mirrored[:8] != filters)


def test_filters_without_their_mirror_images_are_refused() -> None:
    with pytest.raises(ValueError, match="mirror image of each filter"):
        mirrored_filters(normal(2, 2, 3, 16))


def test_what_cannot_be_paired_is_refused() -> None:
    for kind in (FlipEquivariantConv2D, FlipEquivariantFourierConv2D):
        with pytest.raises(ValueError, match="filters come in pairs, got 5"):
            kind(5, 3, halves_swapped(8))
    with pytest.raises(ValueError, match="4 channels, but mirror_of has 8"):
        FlipEquivariantConv2D(6, 3, halves_swapped(8))(normal(1, 5, 5, 4))
