"""Models that others made: classifiers of images are taken, all else is refused as what it is."""

import json

import keras
import numpy as np
import pytest
from keras import layers

from cifar_pipeline.common.errors import PipelineError
from cifar_pipeline.trained_model.classifier import (
    as_classifier,
    image_shape,
    require_colour_images,
    smallest_side,
)
from cifar_pipeline.trained_model.config_checks import custom_code, too_large
from cifar_pipeline.trained_model.decoding import load_decoding
from cifar_pipeline.trained_model.keras_file import load_saved_model, predict_probabilities
from exported_models import export


def ends(shape=(8, 8, 3), classes=4, activation="softmax", **options):
    """Return input and output of a classifier."""
    pixels = keras.Input(shape, **options)
    means = layers.GlobalAveragePooling2D()(layers.Rescaling(1 / 255)(pixels))
    return pixels, layers.Dense(classes, activation=activation)(means)


def classifier(*arguments, **options):
    return keras.Model(*ends(*arguments, **options))


def two_inputs():
    (first, one), (second, other) = ends(), ends()
    return keras.Model([first, second], layers.Average()([one, other]))


def two_outputs():
    pixels, output = ends()
    return keras.Model(pixels, {"kind": output, "colour": layers.Softmax()(output)})


def of(build):
    """Return a model of an input and what `build` makes of it."""

    def model(shape, **options):
        pixels = keras.Input(shape, **options)
        return keras.Model(pixels, build(pixels))

    return model


def flat(pixels):
    return layers.Dense(4, activation="softmax")(layers.Flatten()(pixels))


def strings():
    text = keras.Input((1,), dtype="string")
    return keras.Model(text, layers.Dense(4)(layers.Hashing(3, output_mode="one_hot")(text)))


REFUSED = {
    "it takes 2 inputs": two_inputs,
    "it gives 2 outputs (": two_outputs,
    "shape (20,); expected images": lambda: of(flat)((20,)),
    "shape (5, 8, 8, 3); expected images": lambda: of(flat)((5, 8, 8, 3)),
    "4 images at a time": lambda: of(flat)(None, batch_shape=(4, 8, 8, 3)),
    "one number an image": lambda: classifier(classes=1, activation="sigmoid"),
    "activation sigmoid": lambda: classifier(activation="sigmoid"),
    "activation linear": lambda: classifier(activation=None),
    "(8, 8, 5) an image": lambda: of(layers.Conv2D(5, 1, activation="softmax"))((8, 8, 3)),
    "type int32": lambda: of(lambda pixels: keras.ops.argmax(flat(pixels), axis=-1))((8, 8, 3)),
    "before its layers knew their input": lambda: keras.Sequential([layers.Dense(4)]),
    "it is no model but a Dense": lambda: layers.Dense(4),
}


@pytest.mark.parametrize("expected", REFUSED)
def test_what_is_no_classifier_of_images_is_refused(expected):
    with pytest.raises(PipelineError) as caught:
        as_classifier(REFUSED[expected]())
    assert expected in str(caught.value)


def test_a_model_of_text_is_refused():
    with pytest.raises(PipelineError, match="expected images"):
        as_classifier(strings())


TAKEN = {
    "pixels of bytes": lambda: classifier(dtype="uint8"),
    "half precision": lambda: classifier(dtype="float16"),
    "a mapping of one input": lambda: keras.Model({"image": (pair := ends())[0]}, pair[1]),
    "a mapping of one output": lambda: keras.Model((pair := ends())[0], {"kind": pair[1]}),
    "lists of one": lambda: keras.Model([(pair := ends())[0]], [pair[1]]),
    "a stack": lambda: keras.Sequential([keras.Input((8, 8, 3)), classifier()]),
    "a softmax as a layer": lambda: of(lambda pixels: layers.Softmax()(flat(pixels)))((8, 8, 3)),
    "any size": lambda: classifier((None, None, 3)),
    "any number of rows": lambda: classifier((None, 8, 3)),
}


# Keras' own word on names of inputs, which loading keeps off the terminal.
@pytest.mark.filterwarnings("ignore:When providing .inputs. as a dict:UserWarning")
@pytest.mark.parametrize("kind", TAKEN)
def test_a_classifier_is_taken_and_answers_probabilities(kind):
    model = as_classifier(TAKEN[kind]())
    require_colour_images(model)
    images = np.random.default_rng(0).integers(0, 256, (3, *image_shape(model, 8)), np.uint8)
    probabilities = predict_probabilities(model, images, 2)
    assert probabilities.shape == (3, 4)


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((28, 28, 1), "grey images"),
        ((32, 32, 4), "images with transparency"),
        ((3, 32, 32), "images with the channels first"),
        ((1, 28, 28), "images with the channels first"),
        ((32, 64, 3), "images that are not square"),
        ((32, 32, 12), "images of 12 channels"),
    ],
)
def test_predict_refuses_a_model_of_other_images(shape, expected):
    with pytest.raises(PipelineError, match=f"the model takes {expected}") as caught:
        require_colour_images(of(flat)(shape))
    assert str(shape) in str(caught.value)


def shrinking(pixels):
    """Return probabilities of images with more than 32 pixels a side."""
    for _ in range(5):
        pixels = layers.Conv2D(2, 3, strides=2)(pixels)
    return layers.Dense(4, activation="softmax")(layers.GlobalAveragePooling2D()(pixels))


@pytest.mark.trains
@pytest.mark.parametrize(("build", "side"), [(None, 32), (shrinking, 64)])
def test_a_fully_convolutional_model_is_predicted_and_exported(build, side, tmp_path, capsys):
    path = tmp_path / "any.keras"
    (of(build)((None, None, 3)) if build else classifier((None, None, 3))).save(path)
    model = load_saved_model(path)
    assert smallest_side(model) == side
    assert load_decoding(path, model).size == side
    assert (
        f"any.keras takes images of any size; pictures become {side} x" in capsys.readouterr().err
    )
    assert predict_probabilities(model, np.zeros((1, side, side, 3), np.uint8), 1).shape == (1, 4)
    result = export("litert", "--model", path, "--output", tmp_path)
    assert result.exit_code == 0, result.output


def test_a_model_that_cannot_be_run_is_one_line():
    with pytest.raises(PipelineError, match=r"cannot be run on 1 images of shape \(8, 8, 3\)"):
        predict_probabilities(of(shrinking)((None, None, 3)), np.zeros((1, 8, 8, 3), np.uint8), 1)


@keras.saving.register_keras_serializable("mine")
class Mine(layers.Layer):
    """A layer of a program's own."""

    def call(self, inputs):
        return inputs


def own(values):
    return values


CODE = {
    "layer 'trap' (Lambda) holds code": layers.Lambda(lambda values: values, name="trap"),
    "layer 'mine' (Mine)": Mine(name="mine"),
    "its own is of a program's own": layers.Activation(own),
}


@pytest.mark.parametrize("expected", CODE)
def test_code_is_never_run(expected, tmp_path):
    pixels = keras.Input((8, 8, 3))
    outputs = layers.Softmax()(CODE[expected](flat(pixels)))
    keras.Model(pixels, outputs).save(tmp_path / "model.keras")
    with pytest.raises(PipelineError, match="and none is run") as caught:
        load_saved_model(tmp_path / "model.keras")
    assert expected in str(caught.value)


def test_a_loss_of_a_programs_own_does_not_count(tmp_path):
    model = classifier()
    model.compile(loss=own)
    model.save(tmp_path / "model.keras")
    assert load_saved_model(tmp_path / "model.keras").output_shape == (None, 4)


@pytest.mark.parametrize("deep", [1, 100_000])
def test_a_configuration_without_objects_needs_no_code(deep):
    value = []
    for _ in range(deep):
        value = [value]
    assert custom_code(value) is None
    assert too_large(value, 0) is None


@pytest.mark.parametrize(
    ("change", "layer"),
    [
        ({"units": 10**6}, "dense"),
        ({"filters": 10**6}, "conv"),
        ({"kernel_size": [10**4, 10**4]}, "conv"),
        ({"batch_shape": [None, 10**7, 8, 3]}, "pixels"),
    ],
)
def test_a_size_that_the_weights_cannot_have_is_found(change, layer):
    pixels = keras.Input((8, 8, 3), name="pixels")
    maps = layers.Flatten()(layers.Conv2D(2, 3, name="conv")(pixels))
    config = json.loads(keras.Model(pixels, layers.Dense(4, name="dense")(maps)).to_json())
    assert too_large(config, 10_000) is None
    found = next(each for each in config["config"]["layers"] if each["name"] == layer)
    found["config"] |= change
    assert f"'{layer}' in it claims" in too_large(config, 10_000)
