"""Train the codec, or the autoencoder of 2017, and keep the best weights."""

from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np

from cifar_pipeline.backend.device import describe_device
from cifar_pipeline.codec.batches import LevelBatches, LevelValidation
from cifar_pipeline.codec.dense import (
    DenseAutoencoder,
    build_dense_autoencoder,
    half_squared_error,
)
from cifar_pipeline.codec.klt import fit_block_transform
from cifar_pipeline.codec.network import (
    GREY_LEVELS,
    TRANSFORM_LAYERS,
    CodecNetworks,
    build_networks,
    lambdas,
)
from cifar_pipeline.codec.params import BaselinePreset, CodecPreset, Recipe
from cifar_pipeline.codec.prior import LogisticMixture
from cifar_pipeline.codec.rate_distortion import (
    RateDistortion,
    bits_per_pixel,
    squared_error,
    weighted_loss,
)
from cifar_pipeline.common.console import say
from cifar_pipeline.optim.adam_muon import AdamMuon
from cifar_pipeline.optim.build import build_optimizer
from cifar_pipeline.params.augmentation import Augmentation
from cifar_pipeline.train.batches import TrainingBatches, ValidationBatches
from cifar_pipeline.train.checkpoint import Checkpoint
from cifar_pipeline.train.epochs import Plan, Run, run_epochs

VALIDATION_BATCH = 250


@dataclass(frozen=True)
class _Task:
    """A model, what it is trained on, and by which loss."""

    model: keras.Model
    batches: TrainingBatches
    validation: keras.utils.PyDataset
    loss: Any
    metrics: list[Any] = field(default_factory=list)

    @property
    def columns(self) -> tuple[str, ...]:
        """Those of the history."""
        measures = ["loss", *(metric.__name__ for metric in self.metrics)]
        return ("epoch", *measures, *(f"val_{name}" for name in measures), "learning_rate")


def fit_codec(
    preset: CodecPreset,
    seed: int,
    precision: str,
    images: np.ndarray,
    validation: np.ndarray,
    checkpoint: Checkpoint | None = None,
) -> tuple[CodecNetworks, Run]:
    """Train the network of a preset; return its parts with the best weights, and the run.

    Args:
        preset: network and recipe.
        seed: of everything random.
        precision: "float32" or "bfloat16".
        images: of training, uint8 (N, H, W, 3).
        validation: decides which epoch is kept and when to stop, likewise.
        checkpoint: keeps the state after each epoch, and a run resumes from it; None: there is
            none.

    Raises:
        PipelineError: the loss diverged; the checkpoint's disk takes less than will be written.
    """
    keras.utils.set_random_seed(seed)
    network = preset.network
    transform = fit_block_transform(images, network.block_size, network.channels)
    networks = build_networks(network, transform, precision)
    prior = LogisticMixture(transform.deviation / GREY_LEVELS, network.mixture, name="prior")
    weights = lambdas(network)
    task = _Task(
        RateDistortion(networks, prior, seed),
        LevelBatches(images, weights, preset.batch_size, preset.flip, seed),
        LevelValidation(validation, weights, VALIDATION_BATCH),
        weighted_loss,
        [bits_per_pixel, squared_error],
    )
    return networks, _fit(task, preset, precision, checkpoint)


def fit_baseline(
    preset: BaselinePreset,
    seed: int,
    precision: str,
    images: np.ndarray,
    validation: np.ndarray,
    checkpoint: Checkpoint | None = None,
) -> tuple[DenseAutoencoder, Run]:
    """Train the autoencoder of 2017; arguments and errors as for `fit_codec`."""
    keras.utils.set_random_seed(seed)
    networks = build_dense_autoencoder(preset.network, images.shape[1:], precision)
    pixels = networks.encoder.inputs[0]
    task = _Task(
        keras.Model(pixels, networks.decoder(networks.encoder(pixels)), name="autoencoder"),
        # The targets are the pixels, and a mirrored image would have others.
        TrainingBatches(images, images, preset.batch_size, Augmentation(), seed),
        ValidationBatches(validation, validation, VALIDATION_BATCH),
        half_squared_error,
    )
    return networks, _fit(task, preset, precision, checkpoint)


def _fit(task: _Task, preset: Recipe, precision: str, checkpoint: Checkpoint | None) -> Run:
    steps = len(task.batches) * preset.epochs
    optimizer = build_optimizer(preset, steps, precision)
    if isinstance(optimizer, AdamMuon):
        optimizer.leave_to_adam(TRANSFORM_LAYERS)
    optimizer.global_clipnorm = preset.gradient_norm or None
    task.model.compile(optimizer=optimizer, loss=task.loss, metrics=task.metrics)
    _build_training_state(task)
    say(
        f"device: {describe_device()}; precision: {precision}; "
        f"parameters: {task.model.count_params():,}"
    )
    every_epoch = list(range(1, preset.epochs + 1))
    plan = Plan(preset.epochs, every_epoch, preset.early_stopping, task.columns)
    return run_epochs(task.model, task.batches, task.validation, plan, checkpoint)


def _build_training_state(task: _Task) -> None:
    """Create the variables of loss, metrics and optimizer, as `fit` does at its first batch."""
    inputs, targets = task.validation[0]
    outputs = task.model(inputs)
    task.model.compute_loss(y=targets, y_pred=outputs)
    task.model.compute_metrics(None, targets, outputs)
    task.model.reset_metrics()
    task.model.optimizer.build(task.model.trainable_variables)
