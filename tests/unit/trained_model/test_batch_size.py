"""How many images a model gets at once."""

import keras
import numpy as np
import pytest

from cifar_pipeline.network.build import build_training_network
from cifar_pipeline.trained_model.batch_size import images_at_once
from cifar_pipeline.trained_model.keras_file import predict_probabilities
from networks import shipped
from training_runs import STATISTICS

pytestmark = pytest.mark.trains


def classifier(side: int, filters: int) -> keras.Model:
    pixels = keras.Input((side, side, 3))
    maps = keras.layers.Conv2D(filters, 3, padding="same")(pixels)
    features = keras.layers.GlobalMaxPooling2D()(maps)
    return keras.Model(pixels, keras.layers.Dense(3, activation="softmax")(features))


@pytest.mark.parametrize(("wanted", "number"), [(1, 1), (500, 500), (501, 500), (10**8, 500)])
def test_never_more_than_five_hundred(wanted: int, number: int) -> None:
    assert images_at_once(classifier(32, 4), wanted) == number


def test_fewer_where_maps_are_large() -> None:
    large = images_at_once(classifier(128, 1024), 500)
    assert 1 < large < 10
    inner = classifier(128, 1024)
    within = keras.Sequential([keras.Input((128, 128, 3)), inner])
    assert images_at_once(within, 500) == large


@pytest.mark.parametrize(("name", "side"), [("best", 32), ("gpu96", 32), ("fast64", 64)])
def test_the_committed_presets_get_what_they_always_did(name: str, side: int) -> None:
    """Their records, predictions and exports are of 250 and 500 images at once."""
    params = shipped(name)
    network = build_training_network(
        params,
        STATISTICS,
        10,
        "float32",
        np.zeros((2, 2, 3, params.whitening_filters), np.float32),
        (side, side, 3),
    )
    assert images_at_once(network, 500) == 500


def test_probabilities_are_the_same_for_every_batch_size_above() -> None:
    model = classifier(8, 4)
    images = np.random.default_rng(1).integers(0, 256, (1203, 8, 8, 3), np.uint8)
    at_once = predict_probabilities(model, images, 500)
    assert np.array_equal(predict_probabilities(model, images, 10**8), at_once)
    assert np.allclose(predict_probabilities(model, images, 7), at_once, atol=1e-6)
