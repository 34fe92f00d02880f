"""A saved model's bytes depend on the model alone."""

import json
import zipfile
from pathlib import Path

import keras
import numpy as np

from cifar_pipeline.trained_model.canonical_archive import save_canonical


def with_a_shared_policy() -> keras.Model:
    """Return a model whose layers share one object; its address is another each time."""
    policy = keras.DTypePolicy("float32")
    layers = [
        keras.layers.Dense(2, dtype=policy, kernel_initializer="ones", name=name) for name in "ab"
    ]
    return keras.Sequential([keras.Input((3,), name="values"), *layers], name="model")


def test_objects_that_layers_share_have_numbers(tmp_path: Path) -> None:
    models = [with_a_shared_policy() for _ in range(2)]  # both live: no address is used again
    paths = [tmp_path / f"{at}.keras" for at in range(2)]
    for model, path in zip(models, paths, strict=True):
        save_canonical(model, path, {})
    with zipfile.ZipFile(paths[0]) as archive:
        config = archive.read("config.json").decode()
    assert '"shared_object_id": 1' in config
    assert json.loads(config)["class_name"] == "Sequential"
    assert paths[0].read_bytes() == paths[1].read_bytes()
    loaded = keras.saving.load_model(paths[0])
    values = np.ones((1, 3), np.float32)
    assert np.array_equal(loaded.predict_on_batch(values), models[0].predict_on_batch(values))
