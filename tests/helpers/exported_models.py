"""Networks that stand for trained ones in tests of exports."""

import zipfile
from pathlib import Path

import numpy as np
from typer.testing import CliRunner, Result

from cifar_pipeline.backend.start import start_backend
from cifar_pipeline.cli import app
from cifar_pipeline.dataset.channel_statistics import channel_statistics
from cifar_pipeline.dataset.cifar10 import CLASS_NAMES
from cifar_pipeline.trained_model.keras_file import class_names_entry
from networks import shipped


def patchy_images():
    """Return 1,000 images, float32, of large patches and fine noise: no two look alike."""
    patches = np.random.default_rng(2).integers(0, 200, (1000, 4, 4, 3))
    noise = np.random.default_rng(3).integers(0, 56, (1000, 32, 32, 3))
    return (patches.repeat(8, axis=1).repeat(8, axis=2) + noise).astype(np.float32)


def network_of_quick(images):
    """Return the network of `quick` as train saves it.

    It is untrained, but no layer passes its input on, and every class is the answer for some of
    `images`.
    """
    start_backend()
    import keras

    from cifar_pipeline.network.build import build_saved_network, build_training_network

    keras.utils.set_random_seed(1)
    random = np.random.default_rng(3)
    params = shipped("quick")
    statistics = channel_statistics(images.astype(np.uint8))
    whitening = random.normal(0, 0.5, (2, 2, 3, 16)).astype(np.float32)
    trained = build_training_network(params, statistics, 10, "float32", whitening)
    for layer in trained.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            offset, mean, variance = layer.get_weights()
            layer.set_weights(
                [
                    random.normal(0, 0.3, offset.shape),
                    random.normal(0, 0.3, mean.shape),
                    random.uniform(0.5, 2, variance.shape),
                ]
            )
    # Every class is the answer for some images, now more, now less surely.
    logits = trained.predict_on_batch(images)
    scale = 1.5 / logits.std(axis=0)
    kernel, _ = trained.get_layer("logits").get_weights()
    offset = -logits.mean(axis=0) * scale / params.head.logit_scale
    trained.get_layer("logits").set_weights([kernel * scale, offset])
    return build_saved_network(params, statistics, trained)


def save_with_classes(network, path):
    """Save a network with the names of CIFAR-10's classes, as train does."""
    network.save(path)
    with zipfile.ZipFile(path, "a") as archive:
        for name, content in class_names_entry(CLASS_NAMES).items():
            archive.writestr(name, content)


def files_of(folder: Path) -> dict[str, bytes]:
    """Return the files of a folder by relative name."""
    files = {path.relative_to(folder): path for path in folder.rglob("*") if path.is_file()}
    return {name.as_posix(): path.read_bytes() for name, path in files.items()}


def export(*arguments: str | Path) -> Result:
    """Run the command in this process."""
    return CliRunner().invoke(app, ["export", *map(str, arguments)])
