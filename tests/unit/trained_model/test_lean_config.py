"""A saved model's configuration tells no more than it must, and the model is the same."""

import inspect
import json
import zipfile

import keras
import pytest

from cifar_pipeline.network import build
from cifar_pipeline.trained_model.canonical_archive import save_canonical
from cifar_pipeline.trained_model.lean_config import without_defaults
from every_layer import networks

# Arguments that came after Keras 3.6, each with its default value.
LATER = ("input_axes", "renorm", "quantization_config")


@pytest.fixture(scope="module")
def saved():
    return list(networks())


@pytest.mark.trains
def test_the_networks_have_every_kind_of_layer(saved):
    kinds = {type(layer).__name__ for network in saved for layer in network.layers}
    named = {name for name in dir(keras.layers) if f"layers.{name}" in inspect.getsource(build)}
    assert named <= kinds


@pytest.mark.trains
def test_the_model_is_the_same_without_defaults(saved):
    for network in saved:
        whole = json.loads(network.to_json())
        lean = without_defaults(whole)
        assert not any(f'"{name}' in json.dumps(lean) for name in LATER)
        assert json.loads(keras.models.model_from_json(json.dumps(lean)).to_json()) == whole


@pytest.mark.trains
def test_an_archive_holds_the_lean_configuration(saved, tmp_path):
    save_canonical(saved[1], tmp_path / "model.keras", {})
    with zipfile.ZipFile(tmp_path / "model.keras") as archive:
        config = json.loads(archive.read("config.json"))
    assert config == without_defaults(config)
    assert keras.saving.load_model(tmp_path / "model.keras").to_json() == saved[1].to_json()


@pytest.mark.parametrize(
    ("layer", "kept"),
    [
        (keras.layers.Rescaling(2), {"name", "dtype", "scale", "offset"}),  # from_config wants it
        (keras.layers.Dropout(0.5), {"name", "dtype", "rate"}),
        (
            keras.layers.Dropout(0.5, seed=1, trainable=False),
            {*("name", "dtype", "rate"), *("seed", "trainable")},
        ),
        (keras.layers.MaxPooling2D(strides=(2, 2)), {"name", "dtype", "strides", "data_format"}),
    ],
)
def test_what_the_constructor_does_not_assume_stays(layer, kept):
    config = without_defaults(json.loads(json.dumps(keras.saving.serialize_keras_object(layer))))
    assert set(config["config"]) == kept


@pytest.mark.parametrize("value", [None, 1, "text", [1, {"a": None}], {"class_name": "function"}])
def test_what_is_no_object_of_keras_stays(value):
    assert without_defaults(value) == value
