"""Saved networks that have every kind of layer, and every option of one, that the presets offer."""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import keras
import numpy as np

from cifar_pipeline.dataset.channel_statistics import channel_statistics
from cifar_pipeline.network.build import build_saved_network, build_training_network
from cifar_pipeline.network.whitening import whitening_filters
from cifar_pipeline.params.network import Activation
from cifar_pipeline.params.presets import ModelParams
from cifar_pipeline.trained_model.canonical_archive import save_canonical
from networks import shipped, small
from synthetic import synthetic_split

IMAGES, _ = synthetic_split(20, 0)


def _params() -> Iterator[ModelParams]:
    """Yield a network for each activation, which take turns with the other options."""
    poolings = itertools.cycle(["flatten", "max", "average"])
    fast = small(shipped("fast"))
    for at, (activation, pooling) in enumerate(zip(get_args(Activation), poolings, strict=False)):
        odd = bool(at % 2)
        changes = {"activation": activation, "batch_normalization": odd, "dropout": 0.1 * odd}
        changes |= {"pooling_after": "first" if odd else "last", "shortcut": not odd}
        blocks = {
            name: block.model_copy(update={"convolutions": 2, **changes})
            for name, block in list(fast.blocks.items())[:2]
        }
        valid = {"padding": "valid", "shortcut": False}
        blocks["block1"] = blocks["block1"].model_copy(update=valid)
        head = {"pooling": pooling, "dense_units": 16, "dropout": 0.1, "activation": activation}
        yield fast.model_copy(
            update={
                "blocks": blocks,
                "head": fast.head.model_copy(update=head),
                "normalization": "channel" if odd else "unit",
                "whitening": odd,
            }
        )


def networks() -> Iterator[keras.Model]:
    """Yield the networks, untrained, with batch statistics as after a training."""
    keras.utils.set_random_seed(1)
    random = np.random.default_rng(1)
    statistics = channel_statistics(IMAGES)
    for params in _params():
        filters = whitening_filters(IMAGES, statistics, 8) if params.whitening else None
        trained = build_training_network(params, statistics, 10, "float32", filters)
        for layer in trained.layers:
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.set_weights([random.uniform(0.5, 2, each.shape) for each in layer.weights])
        _spread(trained, params.head.logit_scale)
        yield build_saved_network(params, statistics, trained)


def _spread(network: keras.Model, scale: float) -> None:
    """Let every class be likely for some image: an error in any layer moves probabilities."""
    logits = keras.ops.convert_to_numpy(network(IMAGES))
    kernel, _ = network.get_layer("logits").get_weights()
    factor = 1.5 / logits.std(axis=0)
    network.get_layer("logits").set_weights(
        [kernel * factor, -logits.mean(axis=0) * factor / scale]
    )


def save_all(folder: Path) -> list[Path]:
    """Save the networks as train does, each with an .npz file as plain_keras.py expects it."""
    paths = []
    for at, network in enumerate(networks()):
        paths.append(folder / f"network{at}.keras")
        save_canonical(network, paths[-1], {})
        images = IMAGES.astype(np.float32)
        probabilities = keras.ops.convert_to_numpy(network(images))
        np.savez(paths[-1].with_suffix(".npz"), images=images, probabilities=probabilities)
    return paths
