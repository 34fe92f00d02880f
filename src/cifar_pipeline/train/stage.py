"""Fit a preset's network, keep its best weights, save it as plain Keras."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import pandas as pd

from cifar_pipeline.backend.device import (
    describe_device,
    keeps_images_on_device,
    processor_name,
    resolve_precision,
)
from cifar_pipeline.common.atomic import replacing, require_writable, writing
from cifar_pipeline.common.console import say
from cifar_pipeline.common.errors import under_dvc
from cifar_pipeline.dataset.arrays import load_class_names, load_split
from cifar_pipeline.dataset.channel_statistics import ChannelStatistics, load_statistics
from cifar_pipeline.dataset.cifar10 import CLASS_NAMES
from cifar_pipeline.fourier.inference import with_fourier_convolutions
from cifar_pipeline.metrics.classification import accuracy, cross_entropy
from cifar_pipeline.network.build import build_saved_network, build_training_network, halfway_layer
from cifar_pipeline.network.whitening import whitening_filters
from cifar_pipeline.optim.build import build_optimizer
from cifar_pipeline.params.presets import EarlyStopping, ModelParams
from cifar_pipeline.train.batches import TrainingBatches, ValidationBatches, smoothed_targets
from cifar_pipeline.train.callbacks import (
    HISTORY_COLUMNS,
    EarlyStoppingIfValidated,
    EpochLines,
    RecordEpochs,
    RecordLearningRate,
    RequireFiniteLoss,
)
from cifar_pipeline.train.checkpoint import Backup
from cifar_pipeline.train.fingerprint import run_key
from cifar_pipeline.train.grouping import GroupedBatches
from cifar_pipeline.train.hard_examples import ImageLosses, LearnLosses
from cifar_pipeline.train.resume import KeepBackup, put_back
from cifar_pipeline.train.scanned_steps import ScannedModel, on_device
from cifar_pipeline.trained_model.canonical_archive import save_canonical
from cifar_pipeline.trained_model.keras_file import class_names_entry, load_saved_model
from cifar_pipeline.trained_model.ood_statistics import load_familiarity_statistics
from cifar_pipeline.trained_model.outputs import learn_statistics, predict_outputs, probe_of
from cifar_pipeline.trained_model.training_lock import BACKUP, MODEL
from cifar_pipeline.trained_model.validation_outputs import write_validation_outputs

_PREDICTION_BATCH = 250
_GPU_BATCH = 1000
_GPU_BACKUP_SECONDS = 10.0  # saving the state takes as long as an epoch there


@dataclass(frozen=True)
class Split:
    """Images, uint8 (N, 32, 32, 3), and labels, uint8 (N,), of so many classes."""

    images: np.ndarray
    labels: np.ndarray
    classes: int = len(CLASS_NAMES)


@dataclass(frozen=True)
class Run:
    """A finished training: the network with its best weights, and how it got there.

    Attributes:
        network: in logits.
        history: one row an epoch, HISTORY_COLUMNS; NaN where an epoch was not validated.
        seconds: that each epoch took.
        best_epoch: whose weights were kept, from 1.
        stopped_early: whether epochs were left.
    """

    network: keras.Model
    history: pd.DataFrame
    seconds: list[float]
    best_epoch: int
    stopped_early: bool


def build_early_stopping(params: EarlyStopping) -> keras.callbacks.EarlyStopping:
    """Return the callback that ends a run on a plateau and restores the best weights."""
    return EarlyStoppingIfValidated(
        monitor="val_loss",
        mode="min",
        patience=params.patience,
        min_delta=params.min_delta,
        start_from_epoch=params.start_from_epoch,
        restore_best_weights=True,
    )


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


def fit(
    params: ModelParams,
    seed: int,
    precision: str,
    train: Split,
    validation: Split,
    statistics: ChannelStatistics,
    backup: Backup | None = None,
) -> Run:
    """Train the network of a preset.

    Args:
        params: network and recipe.
        seed: of initial weights, order, augmentation and dropout.
        precision: "float32" or "bfloat16".
        train: what is learnt from.
        validation: decides which epoch is kept and when to stop. Its targets are never smoothed.
        statistics: of the training images.
        backup: where the state is kept after each epoch, on a GPU that holds the images 10 s apart
            at least, and taken up again; None: nowhere.

    Raises:
        PipelineError: the loss diverged.
    """
    keras.utils.set_random_seed(seed)
    classes = train.classes
    filters = None
    if number := params.whitening_filters:
        filters = whitening_filters(train.images, statistics, number, params.flip_equivariant)
    network = build_training_network(params, statistics, classes, precision, filters)
    say(
        f"device: {describe_device()}; precision: {precision}; "
        f"parameters: {network.count_params():,}"
    )
    batches = TrainingBatches(
        train.images,
        smoothed_targets(train.labels, classes, params.label_smoothing),
        params.batch_size,
        params.augmentation,
        seed,
        params.hardest_share,
    )
    on_gpu = keeps_images_on_device()
    held_out = smoothed_targets(validation.labels, classes, 0.0)
    fed: keras.utils.PyDataset
    if on_gpu:
        network = ScannedModel(network.inputs, network.outputs, name=network.name)
        fed = GroupedBatches(batches)
        checked = ValidationBatches(on_device(validation.images), held_out, _GPU_BATCH, workers=1)
    else:
        fed = batches
        checked = ValidationBatches(validation.images, held_out, _PREDICTION_BATCH)
    image_losses = ImageLosses(max(len(train.images), len(validation.images)))
    network.compile(
        optimizer=build_optimizer(params, len(batches) * params.epochs, precision),
        loss=keras.losses.CategoricalCrossentropy(from_logits=True),
        metrics=["accuracy", image_losses],
    )
    _build_training_state(network, classes)
    early_stopping = build_early_stopping(params.early_stopping)
    state = backup.load() if backup else None
    first, end = 0, params.epochs
    record = RecordEpochs()
    if backup and state:
        first = state.epoch
        end = first if state.stopped_early else end
        say(
            f"going on after epoch {first} of {params.epochs}, from {backup.path} "
            "(without that file training starts from the first epoch)"
        )
        put_back(network, state)
        batches.put_back(first, *state.images)
        record = RecordEpochs(state.rows, state.seconds)
    interactive = sys.stdout.isatty()
    callbacks = [
        RecordLearningRate(),
        LearnLosses(batches, image_losses),
        RequireFiniteLoss(),
        early_stopping,
        record,
        *([] if interactive else [EpochLines(record)]),
    ]
    if backup:
        pause = _GPU_BACKUP_SECONDS if on_gpu else 0.0
        callbacks.append(KeepBackup(backup, record, early_stopping, batches, state, pause))
    network.fit(
        fed,
        initial_epoch=first,
        epochs=end,
        validation_data=checked,
        validation_freq=params.validated_epochs,
        shuffle=False,  # the batches come shuffled
        verbose=1 if interactive else 0,
        callbacks=callbacks,
    )
    return Run(
        network=network,
        history=pd.DataFrame(record.rows, columns=HISTORY_COLUMNS),
        seconds=record.seconds,
        best_epoch=early_stopping.best_epoch + 1,
        stopped_early=early_stopping.stopped_epoch > 0 and len(record.rows) < params.epochs,
    )


def _scores(probabilities: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    return {
        "loss": round(cross_entropy(probabilities, labels), 6),
        "accuracy": round(accuracy(probabilities, labels), 6),
    }


def train(processed: Path, models: Path, reports: Path, params: ModelParams, seed: int) -> None:
    """Run the stage: read the arrays, fit, save the model, write history and metrics.

    What the saved model makes of the validation images is kept: whatever evaluate has to choose, a
    temperature or a threshold, it chooses by these.

    Args:
        processed: folder of the arrays; its test split is not read.
        models: folder for model.keras and validation_outputs.npz.
        reports: folder for history.csv, train_metrics.json and train_timings.json.
        params: the preset.
        seed: of everything random.

    Raises:
        PipelineError: an array is missing or corrupt, the loss diverged.
    """
    for folder in (models, reports):
        require_writable(folder)  # not found out when the training is over
    names = load_class_names(processed)
    training = Split(*load_split(processed, "train"), len(names))
    validation = Split(*load_split(processed, "validation"), len(names))
    statistics = load_statistics(processed)
    precision = resolve_precision(params.precision)
    backup = Backup(models / BACKUP, run_key(params, seed, precision, processed))
    run = fit(params, seed, precision, training, validation, statistics, backup)

    network = build_saved_network(params, statistics, run.network)
    learnt, statistics_inside = learn_statistics(
        with_fourier_convolutions(network),
        halfway_layer(params),
        training.images,
        _PREDICTION_BATCH,
    )
    with writing(models):
        extra = class_names_entry(names) | statistics_inside.entry()
        save_canonical(network, models / MODEL, extra)
    saved = with_fourier_convolutions(load_saved_model(models / MODEL))
    probe = probe_of(saved, load_familiarity_statistics(models / MODEL))
    held_out = predict_outputs(probe, validation.images, _PREDICTION_BATCH)
    with writing(models):
        write_validation_outputs(models / MODEL, held_out)
    validation_scores = _scores(held_out.probabilities, validation.labels)
    metrics = {
        "epochs": len(run.history),
        "best_epoch": run.best_epoch,
        "stopped_early": run.stopped_early,
        "precision": precision,
        "train": _scores(learnt, training.labels),
        "validation": validation_scores,
    }
    with writing(reports):
        with replacing(reports / "history.csv") as temporary:
            run.history.to_csv(
                temporary,
                index=False,
                float_format="%.8g",
                lineterminator="\n",
                na_rep="NaN",  # DVC's plots would draw an empty field as 0
            )
        with replacing(reports / "train_metrics.json") as temporary:
            temporary.write_text(json.dumps(metrics, indent=2) + "\n")
        # A clock's readings are never the same twice: DVC and Git leave this file alone.
        timings = {
            "device": describe_device(),
            "processor": processor_name(),
            "training_seconds": round(sum(run.seconds), 3),
            "epoch_seconds": run.seconds,
        }
        with replacing(reports / "train_timings.json") as temporary:
            temporary.write_text(json.dumps(timings, indent=2) + "\n")
    if not under_dvc():
        backup.remove()
    # Else DVC may be killed before it has noted this run, and ask for it again. It has noted it
    # when evaluate begins, which removes the backup.
    say(
        f"kept epoch {run.best_epoch} of {len(run.history)}"
        f"{' (stopped early)' if run.stopped_early else ''}: "
        f"validation accuracy {validation_scores['accuracy']:.4f}, "
        f"loss {validation_scores['loss']:.4f}"
    )
