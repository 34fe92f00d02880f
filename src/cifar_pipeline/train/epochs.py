"""Go through the epochs of a run: from its checkpoint on, and to its best weights."""

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import keras
import pandas as pd

from cifar_pipeline.common.atomic import require_writable
from cifar_pipeline.common.console import say
from cifar_pipeline.common.signals import ends_without_unwinding
from cifar_pipeline.params.presets import EarlyStopping
from cifar_pipeline.train.batches import TrainingBatches
from cifar_pipeline.train.callbacks import (
    EpochLines,
    KeepBestEpoch,
    RecordEpochs,
    RecordLearningRate,
    RequireFiniteLoss,
)
from cifar_pipeline.train.checkpoint import Checkpoint
from cifar_pipeline.train.resume import SaveCheckpoints, restore

_FLOAT_BYTES = 4
_ARCHIVE_BYTES = 80_000  # of a .keras file beside its weights, for a network of some 20 layers


@dataclass(frozen=True)
class Plan:
    """How long a run may be, and what is kept of it.

    Attributes:
        epochs: how many at most.
        validated_epochs: those after which the validation images are read, counted from 1.
        early_stopping: when the run ends before its last epoch.
        columns: of the history, out of the epochs' logs.
    """

    epochs: int
    validated_epochs: list[int]
    early_stopping: EarlyStopping
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Run:
    """A finished training: the network with its best weights, and how it got there.

    Attributes:
        network: as it was compiled; the classifier's is in logits.
        history: one row an epoch, the plan's columns; NaN where an epoch was not validated. With
            class weights, `loss` is the weighted one, that of the steps; accuracies and `val_loss`
            are unweighted.
        seconds: that each epoch took.
        best_epoch: whose weights were kept, from 1: that of the least validation loss.
        stopped_early: whether epochs were left.
    """

    network: keras.Model
    history: pd.DataFrame
    seconds: list[float]
    best_epoch: int
    stopped_early: bool


def _require_room(network: keras.Model, checkpoint: Checkpoint) -> None:
    """Find out whether the folder of the checkpoint will take it, and the model beside it.

    Raises:
        PipelineError: it does not.
    """
    weights, optimizer = (
        sum(math.prod(variable.shape) * _FLOAT_BYTES for variable in variables)
        for variables in (network.variables, network.optimizer.variables)
    )
    of_checkpoint = 2 * weights + optimizer  # the best weights are in it, too
    sizes = [of_checkpoint, max(of_checkpoint, weights + _ARCHIVE_BYTES)]
    # It takes the place of the last one.
    there = 1 if checkpoint.path.is_file() else 0
    require_writable(checkpoint.path.parent, checkpoint.path.name, sizes=sizes[there:])


def run_epochs(
    network: keras.Model,
    batches: TrainingBatches,
    validation_data: keras.utils.PyDataset,
    plan: Plan,
    checkpoint: Checkpoint | None,
    training_data: keras.utils.PyDataset | None = None,
    first_callbacks: Sequence[keras.callbacks.Callback] = (),
    pause: float = 0.0,
) -> Run:
    """Train a network that is compiled, and whose variables are all there.

    Args:
        network: to train.
        batches: of the training images; a checkpoint has their state.
        validation_data: decides which epoch is kept and when to stop.
        plan: how long.
        checkpoint: keeps the state after each epoch, and a run resumes from it; None: there is
            none.
        training_data: what `fit` gets of the batches; None: the batches themselves.
        first_callbacks: before early stopping.
        pause: seconds from one saving of the state to the next at least.

    Raises:
        PipelineError: the loss diverged; the checkpoint's disk takes less than will be written.
    """
    early_stopping = KeepBestEpoch(plan.early_stopping)
    state = checkpoint.load() if checkpoint else None
    first, end = 0, plan.epochs
    record = RecordEpochs(columns=plan.columns)
    if checkpoint and state:
        first = state.epoch
        end = first if state.stopped_early else end
        say(
            f"going on after epoch {first} of {plan.epochs}, from {checkpoint.path} "
            "(without that file training starts from the first epoch)"
        )
        restore(network, state)
        batches.restore(first, *state.images)
        record = RecordEpochs(state.rows, state.seconds, plan.columns)
    if checkpoint:
        _require_room(network, checkpoint)
    interactive = sys.stdout.isatty()
    callbacks = [
        RecordLearningRate(),
        *first_callbacks,
        RequireFiniteLoss(),
        early_stopping,
        record,
        *([] if interactive else [EpochLines(record)]),
    ]
    if checkpoint:
        callbacks.append(SaveCheckpoints(checkpoint, record, early_stopping, batches, state, pause))
    with ends_without_unwinding():
        network.fit(
            batches if training_data is None else training_data,
            initial_epoch=first,
            epochs=end,
            validation_data=validation_data,
            validation_freq=plan.validated_epochs,
            shuffle=False,  # the batches come shuffled
            verbose=1 if interactive else 0,
            callbacks=callbacks,
        )
    kept = early_stopping.kept_epoch
    return Run(
        network=network,
        history=pd.DataFrame(record.rows, columns=list(plan.columns)),
        seconds=record.seconds,
        best_epoch=len(record.rows) if kept is None else kept + 1,
        stopped_early=early_stopping.stopped_epoch > 0 and len(record.rows) < plan.epochs,
    )
