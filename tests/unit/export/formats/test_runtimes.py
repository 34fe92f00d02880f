"""Each export in a runtime of its own against Keras."""

import json
import re
import zipfile
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from cifar_pipeline.dataset.cifar10 import CLASS_NAMES
from cifar_pipeline.export.formats.registry import FORMATS
from cifar_pipeline.params.network import Activation
from exported_models import export

pytestmark = pytest.mark.trains
# Rounding alone, in another order of additions: some 1e-6 for a network that is sure of itself.
TOLERANCE = 1e-5


@pytest.fixture(scope="module")
def expected(network, images):
    """Keras' probabilities for `images`."""
    probabilities = network.predict_on_batch(images)
    # Or else the comparisons would say little.
    assert set(probabilities.argmax(axis=1)) == set(range(10))
    assert probabilities.max(axis=1).std() > 0.1
    return probabilities


def load_saved_model(folder):
    import tensorflow as tf

    loaded = tf.saved_model.load(str(folder / "saved_model"))
    names = Path(loaded.class_names.asset_path.numpy().decode()).read_text().splitlines()
    serve = loaded.signatures["serving_default"]
    return names, lambda batch: serve(pixels=tf.constant(batch))["probabilities"].numpy()


def load_litert(folder):
    from ai_edge_litert.interpreter import Interpreter

    with zipfile.ZipFile(folder / "model.tflite") as archive:
        names = archive.read("classes.txt").decode().splitlines()
    runner = Interpreter(str(folder / "model.tflite")).get_signature_runner()
    return names, lambda batch: runner(pixels=batch)["probabilities"]


def load_onnx(folder):
    import onnx
    from onnxruntime import InferenceSession

    onnx.checker.check_model(folder / "model.onnx", full_check=True)
    session = InferenceSession(folder / "model.onnx")
    assert [(value.name, value.shape) for value in session.get_inputs()] == [
        ("pixels", ["batch", 32, 32, 3])
    ]
    names = json.loads(session.get_modelmeta().custom_metadata_map["class_names"])
    return names, lambda batch: session.run(["probabilities"], {"pixels": batch})[0]


@pytest.mark.parametrize("load", [load_saved_model, load_litert, load_onnx])
def test_a_runtime_of_its_own_answers_what_keras_does(exports, images, expected, load):
    names, run = load(exports[0])
    assert tuple(names) == CLASS_NAMES
    probabilities = run(images)
    assert probabilities.dtype == np.float32
    assert np.abs(probabilities - expected).max() < TOLERANCE
    assert np.mean(probabilities.argmax(axis=1) == expected.argmax(axis=1)) >= 0.999
    for number in (1, 7):
        np.testing.assert_allclose(run(images[:number]), expected[:number], atol=TOLERANCE)


def test_every_layer_that_a_preset_may_have(tmp_path):
    """The command itself compares with Keras."""
    import keras
    from keras import layers

    stack = [keras.Input((32, 32, 3)), layers.Rescaling(1 / 255)]
    for activation in get_args(Activation):
        stack += [layers.Conv2D(8, 3, padding="valid"), layers.Activation(activation)]
    stack += [layers.GlobalAveragePooling2D(), layers.Dropout(0.5), layers.Dense(10, "softmax")]
    keras.utils.set_random_seed(1)
    keras.Sequential(stack).save(tmp_path / "model.keras")
    result = export("--model", tmp_path / "model.keras", "--output", tmp_path)
    assert result.exit_code == 0, result.output
    assert result.stdout.count("of Keras in") == len(FORMATS)


def test_a_line_for_each_format_says_what_where_and_size(exports):
    folder, lines = exports
    assert len(lines) == len(FORMATS)
    for form, line in zip(FORMATS.values(), lines, strict=True):
        place = re.escape(f"{form.title}: {folder / form.path}")
        pattern = rf"{place}, 1\.\d\d MB, within \d(e-\d+)? of Keras in [A-Z][\w ]+ [\d.]+"
        assert re.fullmatch(pattern, line)
