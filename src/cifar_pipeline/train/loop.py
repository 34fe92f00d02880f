"""Fit a preset's network and keep its best weights."""

from dataclasses import dataclass

import keras
import numpy as np

from cifar_pipeline.backend.device import (
    describe_device,
    keeps_images_on_device,
)
from cifar_pipeline.backend.jax import on_device
from cifar_pipeline.common.console import say
from cifar_pipeline.dataset.channel_statistics import ChannelStatistics
from cifar_pipeline.dataset.cifar10 import CLASS_NAMES
from cifar_pipeline.network.build import build_training_network
from cifar_pipeline.network.whitening import whitening_filters
from cifar_pipeline.optim.build import build_optimizer
from cifar_pipeline.params.presets import ModelParams
from cifar_pipeline.train.batches import (
    TrainingBatches,
    ValidationBatches,
    balanced_weights,
    smoothed_targets,
)
from cifar_pipeline.train.callbacks import HISTORY_COLUMNS
from cifar_pipeline.train.checkpoint import Checkpoint
from cifar_pipeline.train.epochs import Plan, Run, run_epochs
from cifar_pipeline.train.hard_examples import ImageLosses, ReportLosses
from cifar_pipeline.train.scanned_steps import GroupedBatches, ScannedModel
from cifar_pipeline.trained_model.batch_size import images_at_once

PREDICTION_BATCH = 250
_GPU_BATCH = 1000
_GPU_CHECKPOINT_SECONDS = 10.0  # saving the state takes as long as an epoch there


@dataclass(frozen=True)
class Split:
    """Images, uint8 (N, H, W, 3), and labels, uint8 (N,), of so many classes."""

    images: np.ndarray
    labels: np.ndarray
    classes: int = len(CLASS_NAMES)


def _build_training_state(network: keras.Model, classes: int) -> None:
    """Create the variables of loss, metrics and optimizer, as `fit` does at its first batch.

    On JAX and PyTorch, Keras 3.15 would start the workers for that, take one batch, and leave the
    others that they have made to the next epoch, which then is no longer in its order. TensorFlow
    traces a step that creates variables twice.
    """
    nothing = np.zeros((1, classes), np.float32)
    network.compute_loss(y=nothing, y_pred=nothing)
    network.compute_metrics(None, nothing, nothing)
    network.reset_metrics()
    network.optimizer.build(network.trainable_variables)


def _untrained_network(
    params: ModelParams, train: Split, statistics: ChannelStatistics, precision: str
) -> keras.Model:
    """Return the network before its first step, and print the device and its size."""
    filters = None
    if number := params.whitening_filters:
        filters = whitening_filters(train.images, statistics, number)
    image_shape = train.images.shape[1:]
    network = build_training_network(
        params, statistics, train.classes, precision, filters, image_shape
    )
    say(
        f"device: {describe_device()}; precision: {precision}; "
        f"parameters: {network.count_params():,}"
    )
    return network


def _validation_batches(network: keras.Model, validation: Split, on_gpu: bool) -> ValidationBatches:
    targets = smoothed_targets(validation.labels, validation.classes, 0.0)
    if on_gpu:
        return ValidationBatches(on_device(validation.images), targets, _GPU_BATCH, workers=1)
    batch = images_at_once(network, PREDICTION_BATCH)
    return ValidationBatches(validation.images, targets, batch)


def fit(
    params: ModelParams,
    seed: int,
    precision: str,
    train: Split,
    validation: Split,
    statistics: ChannelStatistics,
    checkpoint: Checkpoint | None = None,
) -> Run:
    """Train the network of a preset.

    Args:
        params: network and recipe.
        seed: of initial weights, order, augmentation and dropout.
        precision: "float32" or "bfloat16".
        train: the images and labels of the training loss.
        validation: decides which epoch is kept and when to stop. Its targets are never smoothed,
            and its images all weigh the same, as with the `class_weight` of Keras' `fit`.
        statistics: of the training images.
        checkpoint: keeps the state after each epoch, on a GPU that holds the images 10 s apart at
            least, and a run resumes from it; None: there is none.

    Raises:
        PipelineError: the loss diverged; the checkpoint's disk takes less than will be written.
    """
    keras.utils.set_random_seed(seed)
    network = _untrained_network(params, train, statistics, precision)
    batches = TrainingBatches(
        train.images,
        smoothed_targets(train.labels, train.classes, params.label_smoothing),
        params.batch_size,
        params.augmentation,
        seed,
        params.hardest_share,
        balanced_weights(train.labels, train.classes)
        if params.class_weight == "balanced"
        else None,
    )
    training_data: keras.utils.PyDataset = batches
    on_gpu = keeps_images_on_device()
    if on_gpu:
        network = ScannedModel(network.inputs, network.outputs, name=network.name)
        training_data = GroupedBatches(batches)
    image_losses = ImageLosses(max(len(train.images), len(validation.images)))
    network.compile(
        optimizer=build_optimizer(params, len(batches) * params.epochs, precision),
        loss=keras.losses.CategoricalCrossentropy(from_logits=True),
        metrics=["accuracy", image_losses],
    )
    _build_training_state(network, train.classes)
    plan = Plan(
        params.epochs, params.validated_epochs, params.early_stopping, tuple(HISTORY_COLUMNS)
    )
    return run_epochs(
        network,
        batches,
        _validation_batches(network, validation, on_gpu),
        plan,
        checkpoint,
        training_data=training_data,
        first_callbacks=[ReportLosses(batches, image_losses)],
        pause=_GPU_CHECKPOINT_SECONDS if on_gpu else 0.0,
    )
