"""A run that is interrupted goes on to the bits of one that was not."""

from functools import cache
from pathlib import Path

import pandas as pd
import pytest

from cifar_pipeline.network.build import build_saved_network
from cifar_pipeline.params.presets import ModelParams
from cifar_pipeline.train.checkpoint import Checkpoint
from cifar_pipeline.train.loop import Run
from cifar_pipeline.trained_model.canonical_archive import save_canonical
from training_runs import (
    KEY,
    STATISTICS,
    InterruptedCheckpoint,
    ProcessEndedError,
    fitted,
    recipe,
)

pytestmark = pytest.mark.trains


@cache  # a training takes seconds
def undisturbed(name: str, precision: str, freq: int) -> Run:
    """Return a run that nothing has interrupted; nobody changes it."""
    return fitted(recipe(name, freq), None, precision)


def saved_bytes(params: ModelParams, run: Run, path: Path) -> bytes:
    save_canonical(build_saved_network(params, STATISTICS, run.network), path, {})
    return path.read_bytes()


@pytest.mark.parametrize(
    ("name", "precision", "freq", "ends"),
    [
        # Counted from the first epoch, or back from behind the last: 0 is when all epochs are done
        # and no model has been saved.
        ("baseline", "float32", 1, (1, 2, -1, 0)),
        ("fast", "bfloat16", 2, (1, -1)),
        ("baseline", "float32", 2, (2, 0)),
        ("best", "float32", 1, (2, -1)),
    ],
)
def test_an_interrupted_run_ends_in_the_same_bits(
    name: str,
    precision: str,
    freq: int,
    ends: tuple[int, ...],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    params = recipe(name, freq)
    whole = undisturbed(name, precision, freq)
    expected = saved_bytes(params, whole, tmp_path / "whole.keras")
    number = len(whole.history)
    assert number > 2
    path = tmp_path / "training.backup"
    after = [end if end > 0 else number + end for end in ends]
    for epoch in after:
        with pytest.raises(ProcessEndedError):
            fitted(params, InterruptedCheckpoint(path, after=epoch), precision)
    capsys.readouterr()
    run = fitted(params, Checkpoint(path, KEY), precision)
    assert f"going on after epoch {after[-1]} of {params.epochs}" in capsys.readouterr().out
    pd.testing.assert_frame_equal(run.history, whole.history, check_exact=True)
    assert (run.best_epoch, run.stopped_early) == (whole.best_epoch, whole.stopped_early)
    assert len(run.seconds) == number
    assert saved_bytes(params, run, tmp_path / "resumed.keras") == expected


@pytest.mark.parametrize("freq", [1, 2])
def test_the_recipes_of_these_tests_stop_early_and_keep_an_earlier_epoch(freq: int) -> None:
    """Else the test above would not see whether early stopping's state came back."""
    run = undisturbed("baseline", "float32", freq)
    assert run.stopped_early
    assert run.best_epoch == len(run.history) - 2 * freq


def test_a_run_that_dies_after_every_epoch_keeps_the_best_one(tmp_path: Path) -> None:
    """With a min_delta by which no epoch after the first is an improvement."""
    params = recipe("baseline")
    stopping = params.early_stopping.model_copy(update={"min_delta": 10.0, "patience": 9})
    params = params.model_copy(update={"early_stopping": stopping, "epochs": 4})
    whole = fitted(params, None)
    assert whole.best_epoch == whole.history["val_loss"].idxmin() + 1
    assert whole.best_epoch > 1
    path = tmp_path / "training.backup"
    for epoch in range(1, params.epochs + 1):
        with pytest.raises(ProcessEndedError):
            fitted(params, InterruptedCheckpoint(path, after=epoch))
    run = fitted(params, Checkpoint(path, KEY))
    assert run.best_epoch == whole.best_epoch
    for value, other in zip(run.network.get_weights(), whole.network.get_weights(), strict=True):
        assert value.tobytes() == other.tobytes()
