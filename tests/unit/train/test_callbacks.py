"""Which epoch is kept, and when a run stops: on losses that are written down, without a network."""

import math
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cifar_pipeline.params.presets import EarlyStopping
from cifar_pipeline.train.callbacks import KeepBestEpoch, RecordEpochs
from cifar_pipeline.train.checkpoint import Checkpoint
from cifar_pipeline.train.resume import SaveCheckpoints
from training_runs import KEY

Losses = list[float | None]  # after each epoch; None: it was not validated


@dataclass
class Network:
    """What the callbacks need of one; its weights tell after which epoch they were."""

    weights: list[np.ndarray]
    variables: tuple[()] = ()
    metrics_variables: tuple[()] = ()
    optimizer: Any = field(default_factory=lambda: SimpleNamespace(variables=()))
    stop_training: bool = False

    def get_weights(self) -> list[np.ndarray]:
        return [value.copy() for value in self.weights]

    def set_weights(self, weights: list[np.ndarray]) -> None:
        self.weights = weights


class KerasOwn(keras.callbacks.EarlyStopping):
    """As the pipeline had it: Keras' own, which passes over epochs that are not validated."""

    def get_monitor_value(self, logs: dict[str, Any] | None) -> float | None:
        return (logs or {}).get(self.monitor)


def logs_of(loss: float | None) -> dict[str, float]:
    return {"loss": 1.0, "accuracy": 0.5, "learning_rate": 0.1} | (
        {} if loss is None else {"val_loss": loss}
    )


def fit(losses: Losses, callbacks: list[Any], first: int = 0, die_after: int = 0) -> Network:
    """Go through the epochs of `losses` as `fit` does; 0: to the end."""
    network = Network([np.array([first])])  # as `restore` leaves it
    for callback in callbacks:
        callback.set_model(network)
        callback.on_train_begin()
    for epoch in range(first, len(losses)):
        network.weights = [np.array([epoch + 1])]
        for callback in callbacks:
            callback.on_epoch_begin(epoch)
        for callback in callbacks:
            callback.on_epoch_end(epoch, logs_of(losses[epoch]))
        if epoch + 1 == die_after:
            return network
        if network.stop_training:
            break
    for callback in callbacks:
        callback.on_train_end()
    return network


def end_of_keras(losses: Losses, params: EarlyStopping) -> int:
    """Return how many epochs Keras' own callback would take."""
    record = RecordEpochs()
    stopping = KerasOwn(
        monitor="val_loss",
        mode="min",
        patience=params.patience,
        min_delta=params.min_delta,
        start_from_epoch=params.start_from_epoch,
        restore_best_weights=True,
    )
    fit(losses, [record, stopping])
    return len(record.rows)


def kept_by_definition(losses: Losses, params: EarlyStopping, epochs: int) -> int:
    """Return the epoch of the least loss that counts, from 1; the last one if there is none."""
    counting = [
        (loss, epoch + 1)
        for epoch, loss in enumerate(losses[:epochs])
        if loss is not None and not math.isnan(loss) and epoch >= params.start_from_epoch
    ]
    return min(counting, default=(0.0, epochs))[1]


def batches() -> Any:
    return SimpleNamespace(losses=np.zeros(1, np.float32), times_shown=np.zeros(1, np.int32))


def killed_after_each_epoch(losses: Losses, params: EarlyStopping, path: Path) -> tuple[int, float]:
    """Return how many epochs a run took that is killed after each, and the epoch of its weights."""
    path.unlink(missing_ok=True)
    checkpoint = Checkpoint(path, KEY)
    while True:
        state = checkpoint.load()
        done = state.epoch if state else 0
        end = done if state and state.stopped_early else len(losses)
        record = RecordEpochs(state.rows, state.seconds) if state else RecordEpochs()
        stopping = KeepBestEpoch(params)
        saving = SaveCheckpoints(checkpoint, record, stopping, batches(), state)
        network = fit(losses[:end], [stopping, record, saving], done, die_after=done + 1)
        if done == end:
            return end, network.weights[0].item()


numbers = st.one_of(
    st.sampled_from([1.0, 0.9995, 0.999, 0.9985, 0.5, 10.5]), st.floats(0, 3, width=32)
)
stopping_rules = st.builds(
    EarlyStopping,
    patience=st.integers(0, 4),
    min_delta=st.sampled_from([0.0, 0.001, 0.1, 10.0]),
    start_from_epoch=st.integers(0, 5),
)


@settings(deadline=None, max_examples=60)
@given(
    losses=st.lists(st.one_of(numbers, st.sampled_from([None, math.nan, math.inf])), max_size=9),
    params=stopping_rules,
)
def test_the_least_loss_is_kept_and_keras_says_when_to_stop(
    losses: Losses, params: EarlyStopping, tmp_path_factory: pytest.TempPathFactory
) -> None:
    epochs = end_of_keras(losses, params)
    record, stopping = RecordEpochs(), KeepBestEpoch(params)
    network = fit(losses, [record, stopping])
    kept = kept_by_definition(losses, params, epochs)
    assert len(record.rows) == epochs
    assert network.weights[0].item() == kept
    assert (stopping.kept_epoch is None) == (stopping.kept_weights is None)
    if stopping.kept_epoch is not None:
        assert stopping.kept_epoch + 1 == kept
    if losses:
        folder = tmp_path_factory.getbasetemp()
        assert killed_after_each_epoch(losses, params, folder / "checkpoint") == (epochs, kept)


@pytest.mark.parametrize(
    ("losses", "min_delta", "kept"),
    [
        ([4.0, 3.0, 2.5, 2.2, 2.0, 2.1], 10.0, 5),
        ([1.0, 0.9995, 0.9991, 0.9992], 0.001, 3),
        ([1.0, 0.5, 0.5, 0.6], 0.0, 2),  # the first of equals
        ([1.0, None, 0.9999, None, 0.9998], 0.001, 5),
        ([math.nan, 1.0, 0.9], 0.0, 3),
        ([math.nan, math.nan], 0.0, 2),  # none to choose: as the last epoch leaves it
        ([None, None, 2.0], 0.5, 3),
    ],
)
def test_min_delta_does_not_choose_the_epoch(losses: Losses, min_delta: float, kept: int) -> None:
    params = EarlyStopping(patience=9, min_delta=min_delta, start_from_epoch=0)
    assert fit(losses, [KeepBestEpoch(params)]).weights[0].item() == kept


def test_both_losses_are_in_the_checkpoint(tmp_path: Path) -> None:
    """The one that is to be beaten, and the least."""
    params = EarlyStopping(patience=9, min_delta=0.1, start_from_epoch=0)
    stopping, record = KeepBestEpoch(params), RecordEpochs()
    checkpoint = Checkpoint(tmp_path / "checkpoint", KEY)
    fit(
        [1.0, 0.95],
        [stopping, record, SaveCheckpoints(checkpoint, record, stopping, batches(), None)],
    )
    state = checkpoint.load()
    assert state
    expected = {"wait": 1, "best": 1.0, "stopped_epoch": 0, "kept_loss": 0.95, "kept_epoch": 1}
    assert state.early_stopping == expected
