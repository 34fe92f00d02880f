"""A saved model's quicker copy."""

import keras
import numpy as np

from cifar_pipeline.dataset.channel_statistics import channel_statistics
from cifar_pipeline.fourier.inference import with_fourier_convolutions
from cifar_pipeline.network.build import build_saved_network, build_training_network
from cifar_pipeline.network.whitening import whitening_filters
from networks import narrow_fast
from synthetic import synthetic_split


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
