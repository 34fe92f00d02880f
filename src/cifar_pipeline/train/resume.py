"""Take a run's state after an epoch, and put a network back into it."""

import time
from typing import Any

import keras
import numpy as np

from cifar_pipeline.train.batches import TrainingBatches
from cifar_pipeline.train.callbacks import KeepBestEpoch, RecordEpochs
from cifar_pipeline.train.checkpoint import Checkpoint, RunState

# The state of KeepBestEpoch beside the weights that it keeps; its on_train_begin resets all of it.
# `best` decides when to stop, `kept_loss` which epoch is kept.
_STOPPING = ("wait", "best", "stopped_epoch", "kept_loss", "kept_epoch")


def _variables(network: keras.Model) -> list[Any]:
    """Return the variables of layers and random streams; metrics start anew in each epoch."""
    of_metrics = {id(variable) for variable in network.metrics_variables}
    return [variable for variable in network.variables if id(variable) not in of_metrics]


def _values(variables: list[Any]) -> list[np.ndarray]:
    return [keras.ops.convert_to_numpy(variable) for variable in variables]


def _assign(variables: list[Any], values: list[np.ndarray]) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def restore(network: keras.Model, state: RunState) -> None:
    """Assign the values of `state` to the existing variables of a network and its optimizer."""
    _assign(_variables(network), state.variables)
    _assign(network.optimizer.variables, state.optimizer)


class SaveCheckpoints(keras.callbacks.Callback):
    """Saves the state after epochs; stands behind the callbacks whose state it takes.

    These are `record`, `early_stopping`, and ReportLosses, which changes `batches`.

    Args:
        checkpoint: the file.
        record: the epochs so far.
        early_stopping: gets its part of `state` when training begins.
        batches: of the training images.
        state: that the run resumes from; None: a new run.
        pause: seconds from one saving to the next at least; 0: after every epoch.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        record: RecordEpochs,
        early_stopping: KeepBestEpoch,
        batches: TrainingBatches,
        state: RunState | None,
        pause: float = 0.0,
    ) -> None:
        super().__init__()
        self._pause, self._saved = pause, time.monotonic()
        self._checkpoint, self._record, self._state = checkpoint, record, state
        self._early_stopping, self._batches = early_stopping, batches

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Restore the state of early stopping, which has just reset itself."""
        if self._state is not None:
            for name in _STOPPING:
                setattr(self._early_stopping, name, self._state.early_stopping[name])
            self._early_stopping.kept_weights = self._state.kept_weights or None

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Save the state, unless that was done a moment ago."""
        if time.monotonic() - self._saved < self._pause:
            return
        stopping = self._early_stopping
        self._checkpoint.save(
            RunState(
                epoch=epoch + 1,
                rows=self._record.rows,
                seconds=self._record.seconds,
                early_stopping={name: getattr(stopping, name) for name in _STOPPING},
                variables=_values(_variables(self.model)),
                optimizer=_values(self.model.optimizer.variables),
                kept_weights=stopping.kept_weights or [],
                images=[self._batches.losses, self._batches.times_shown],
            )
        )
        self._saved = time.monotonic()
