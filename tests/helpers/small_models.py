"""Models of a few weights that are built and saved in no time."""

from pathlib import Path

import numpy as np

from cifar_pipeline.backend.start import start_backend
from cifar_pipeline.dataset.cifar10 import CLASS_NAMES

TRAINING_IMAGES = np.random.default_rng(4).integers(0, 256, (40, 32, 32, 3), np.uint8)


def save_model(path: Path, features: str = "features", bias: float = 0.0, classes: int = 10):
    """Save and return a model whose layer `features` is an image's mean colours, from 0 to 1.

    Its probabilities depend on these, and on `bias`, which prefers the first class. It knows
    noise, as in TRAINING_IMAGES; with other `features`, it is a model of another program.
    """
    start_backend()
    import keras

    from cifar_pipeline.trained_model.canonical_archive import save_canonical
    from cifar_pipeline.trained_model.keras_file import class_names_entry
    from cifar_pipeline.trained_model.layer_names import FEATURES
    from cifar_pipeline.trained_model.outputs import fit_ood_statistics

    pixels = keras.Input((32, 32, 3), dtype="float32")
    scaled = keras.layers.Rescaling(1 / 255, name="scaled")(pixels)
    means = keras.layers.GlobalAveragePooling2D(name=features)(scaled)
    outputs = keras.layers.Dense(classes, activation="softmax")(means)
    model = keras.Model(pixels, outputs)
    kernel = np.random.default_rng(3).normal(0, 5, (3, classes))
    model.set_weights([kernel, np.eye(classes)[0] * bias])
    if features == FEATURES:
        _, statistics = fit_ood_statistics(model, "scaled", TRAINING_IMAGES, len(TRAINING_IMAGES))
        save_canonical(model, path, class_names_entry(CLASS_NAMES) | statistics.entry())
    else:
        model.save(path)
    return model
