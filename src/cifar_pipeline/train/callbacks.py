"""Callbacks of `fit`: learning rate, divergence, early stopping, history, lines of a log."""

import math
import time
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from cifar_pipeline.common.console import say
from cifar_pipeline.common.errors import PipelineError
from cifar_pipeline.params.presets import EarlyStopping

HISTORY_COLUMNS = ["epoch", "loss", "accuracy", "val_loss", "val_accuracy", "learning_rate"]


class RecordLearningRate(keras.callbacks.Callback):
    """Adds to the epoch's logs the learning rate of its last step. Stands before all others."""

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Write `learning_rate` into `logs`, where all later callbacks see it."""
        if logs is not None:
            # `iterations` counts the steps done, so the last step's number is one less.
            optimizer = self.model.optimizer
            schedule = getattr(optimizer, "_learning_rate", None)
            if isinstance(schedule, keras.optimizers.schedules.LearningRateSchedule):
                rate = schedule(optimizer.iterations - 1)
            else:
                rate = optimizer.learning_rate
            logs["learning_rate"] = float(keras.ops.convert_to_numpy(rate))


class DivergedError(PipelineError):
    """The loss is infinite or not a number."""


class RequireFiniteLoss(keras.callbacks.Callback):
    """Ends a run whose loss is infinite or not a number; the error says how to go on."""

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Raise DivergedError when a loss is infinite or not a number."""
        for name in ("loss", "val_loss"):
            value = (logs or {}).get(name, 0.0)
            if not math.isfinite(value):
                raise DivergedError(
                    f"training diverged: {name} is {value} in epoch {epoch + 1}; "
                    "lower optimizer.learning_rate of the preset in params.yaml"
                )


class KeepBestEpoch(keras.callbacks.EarlyStopping):
    """Keeps the epoch of the least validation loss, and stops the run when Keras' own would.

    Keras keeps the last epoch whose loss fell by `min_delta` or more; a later one that is better by
    less is lost then, or by a fall in small steps. Here `min_delta` decides about stopping alone.
    Epochs that are not validated, and those before `start_from_epoch`, are passed over. Where none
    is left, the network stays as the last epoch leaves it.

    Attributes:
        kept_epoch: whose weights are kept, from 0; None as long as there is none.
        kept_loss: its validation loss, the least; of equal ones the first epoch is kept.
        kept_weights: of the network after that epoch.
        best: the validation loss that a later one has to fall below by `min_delta`.
    """

    kept_epoch: int | None = None
    kept_loss: float | None = None
    kept_weights: list[np.ndarray] | None = None

    def __init__(self, params: EarlyStopping) -> None:
        super().__init__(
            monitor="val_loss",
            mode="min",
            patience=params.patience,
            min_delta=params.min_delta,
            start_from_epoch=params.start_from_epoch,
        )

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Forget an earlier run."""
        super().on_train_begin(logs)
        self.kept_epoch = self.kept_loss = self.kept_weights = None

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Decide whether to stop, and keep the epoch if it is the best so far."""
        super().on_epoch_end(epoch, logs)
        loss = self.get_monitor_value(logs)
        if loss is None or math.isnan(loss) or epoch < self.start_from_epoch:
            return
        if self.kept_loss is None or loss < self.kept_loss:
            self.kept_epoch, self.kept_loss = epoch, loss
            self.kept_weights = self.model.get_weights()

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Give the network the weights of the epoch that was kept."""
        super().on_train_end(logs)
        if self.kept_weights is not None:
            self.model.set_weights(self.kept_weights)

    def get_monitor_value(self, logs: dict[str, Any] | None) -> float | None:
        """Return the validation loss, None in an epoch without one."""
        return (logs or {}).get(self.monitor)


class RecordEpochs(keras.callbacks.Callback):
    """Keeps each epoch's values and seconds.

    Args:
        rows: of epochs that an earlier process has finished, by the names of `columns`; an epoch
            without validation lacks the columns of validation.
        seconds: that those took.
        columns: what is kept of the logs.
    """

    def __init__(
        self,
        rows: Sequence[dict[str, float]] = (),
        seconds: Sequence[float] = (),
        columns: Sequence[str] = tuple(HISTORY_COLUMNS),
    ) -> None:
        super().__init__()
        self.rows, self.seconds, self._columns = list(rows), list(seconds), columns

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Start the epoch's clock."""
        self._started = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Add a row."""
        values = {"epoch": epoch + 1, **(logs or {})}
        # Validation alone may be missing.
        known = [n for n in self._columns if n in values or not n.startswith("val_")]
        self.rows.append({name: values[name] for name in known})
        self.seconds.append(round(time.monotonic() - self._started, 3))


class EpochLines(keras.callbacks.Callback):
    """One line an epoch, where there is no terminal to draw a progress bar on.

    Args:
        record: the callback that keeps the values; it stands before this one.
    """

    def __init__(self, record: RecordEpochs) -> None:
        super().__init__()
        self._record = record

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Print the epoch's losses and other measures."""
        values = self._record.rows[-1]
        names = [name for name in values if name not in ("epoch", "learning_rate")]
        shown = ", ".join(f"{name} {values[name]:.4f}" for name in names)
        seconds = self._record.seconds[-1]
        say(f"epoch {epoch + 1}/{self.params['epochs']}: {shown} ({seconds:.1f} s)")
