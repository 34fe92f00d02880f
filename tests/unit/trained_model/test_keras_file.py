"""Probabilities of a saved model."""

import zipfile

import numpy as np
import pytest

from cifar_pipeline.common.errors import PipelineError
from cifar_pipeline.trained_model.keras_file import load_saved_model, predict_probabilities
from evaluate_inputs import (
    save_tiny_model,
)


@pytest.fixture(scope="module")
def tiny_model(tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "model.keras"
    return path, save_tiny_model(path)


@pytest.mark.parametrize(
    ("lost", "instead", "reason"),
    [
        ("model.weights.h5", None, "model.weights.h5 in it is missing"),
        ("config.json", None, "config.json in it is missing"),
        ("config.json", "null", "config.json in it is no JSON object"),
        ("config.json", "[1]", "config.json in it is no JSON object"),
    ],
)
def test_an_archive_without_a_part_is_named_by_it(lost, instead, reason, tiny_model, tmp_path):
    path = tmp_path / "model.keras"
    with zipfile.ZipFile(tiny_model[0]) as whole, zipfile.ZipFile(path, "w") as part:
        for name in whole.namelist():
            if name != lost:
                part.writestr(name, whole.read(name))
        if instead:
            part.writestr(lost, instead)
    with pytest.raises(PipelineError, match=rf"cannot be loaded \({reason}\); fetch or save"):
        load_saved_model(path)


def test_output_that_is_no_probabilities(tmp_path):
    model = save_tiny_model(tmp_path / "model.keras", activation=None)
    with pytest.raises(PipelineError, match="softmax"):
        predict_probabilities(model, np.full((3, 32, 32, 3), 255, np.uint8), 2)


def test_output_that_is_not_finite(tiny_model):
    model = load_saved_model(tiny_model[0])
    model.set_weights([np.full_like(weight, np.nan) for weight in model.get_weights()])
    with pytest.raises(PipelineError, match=r"not finite for 3 of 3 images"):
        predict_probabilities(model, np.zeros((3, 32, 32, 3), np.uint8), 2)


def test_model_for_other_images(tiny_model):
    with pytest.raises(PipelineError, match=r"inputs of shape \(32, 32, 3\).* \(28, 28, 1\)"):
        predict_probabilities(tiny_model[1], np.zeros((3, 28, 28, 1), np.uint8), 2)


def test_probabilities_are_float32_in_image_order(tiny_model):
    images = np.stack([np.full((32, 32, 3), 50 * at, np.uint8) for at in range(5)])
    whole = predict_probabilities(tiny_model[1], images, 5)
    assert whole.dtype == np.float32
    np.testing.assert_allclose(predict_probabilities(tiny_model[1], images, 2), whole, atol=1e-6)
