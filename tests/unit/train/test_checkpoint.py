"""The file that keeps a run's state: what is saved is loaded, and damage is noticed."""

import errno
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cifar_pipeline.common.errors import PipelineError
from cifar_pipeline.train.checkpoint import Checkpoint, RunState
from training_runs import (
    KEY,
    InterruptedCheckpoint,
    ProcessEndedError,
    fitted,
    recipe,
)


@pytest.mark.trains
def test_a_backup_of_another_run_is_not_used(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    params = recipe("fast")
    path = tmp_path / "training.backup"
    with pytest.raises(ProcessEndedError):
        fitted(params, InterruptedCheckpoint(path, after=1))
    state = Checkpoint(path, KEY).load()
    assert state
    assert state.epoch == 1
    assert Checkpoint(path, {**KEY, "params": "other"}).load() is None
    assert "is of another run (different params)" in capsys.readouterr().out
    # A part that an older version did not know.
    assert Checkpoint(path, {**KEY, "device": "c"}).load() is None


def test_a_damaged_backup_is_said_and_not_used(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "training.backup"
    weights = [np.arange(20, dtype=np.float32)]
    checkpoint = Checkpoint(path, KEY)
    checkpoint.save(RunState(1, [], [], {"stopped_epoch": 0}, weights, [], [], []))
    whole = path.read_bytes()
    assert checkpoint.load()
    # Each byte: the archive's headers and its list of entries as well as the arrays.
    damaged = [whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :] for at in range(len(whole))]
    damaged += [b"", whole[:-1], whole[: len(whole) // 2], whole + b"0", b"nothing of ours"]
    for content in damaged:
        path.write_bytes(content)
        capsys.readouterr()
        assert checkpoint.load() is None
        assert "is damaged" in capsys.readouterr().out


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    arrays = [np.arange(number, dtype=np.float32) for number in range(12)]
    state = RunState(
        epoch=3,
        rows=[{"epoch": 1, "loss": 0.1 + 0.2}],
        seconds=[1.5],
        early_stopping={"best": float("inf"), "stopped_epoch": 0},
        variables=arrays,
        optimizer=[np.array(7, np.int64)],
        kept_weights=[],
        images=[np.array([np.inf, 0.5], np.float32), np.array([0, 3], np.int32)],
    )
    checkpoint = Checkpoint(tmp_path / "training.backup", KEY)
    checkpoint.save(state)
    loaded = checkpoint.load()
    assert loaded
    plain = ("epoch", "rows", "seconds", "early_stopping", "kept_weights")
    assert [getattr(loaded, name) for name in plain] == [getattr(state, name) for name in plain]
    assert [array.tobytes() for array in loaded.variables] == [a.tobytes() for a in arrays]
    assert loaded.optimizer[0].dtype == np.int64
    assert [array.tolist() for array in loaded.images] == [[np.inf, 0.5], [0, 3]]
    checkpoint.remove()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.trains
def test_training_goes_on_where_a_backup_can_no_longer_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(path: Path, durable: bool) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    monkeypatch.setattr("cifar_pipeline.train.checkpoint.replacing", full)
    params = recipe("fast")
    run = fitted(params, Checkpoint(tmp_path / "training.backup", KEY))
    assert "cannot be written (No space left on device)" in capsys.readouterr().out
    pd.testing.assert_frame_equal(run.history, fitted(params, None).history, check_exact=True)


def test_training_does_not_begin_where_a_backup_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(PipelineError, match="file: cannot be written"):
        fitted(recipe("fast"), Checkpoint(tmp_path / "file" / "training.backup", KEY))


@pytest.mark.trains
def test_the_history_of_a_state_is_plain_json(tmp_path: Path) -> None:
    """What a callback's numbers become must not depend on NumPy's or Keras' types."""
    path = tmp_path / "training.backup"
    with pytest.raises(ProcessEndedError):
        fitted(recipe("fast"), InterruptedCheckpoint(path, after=1))
    state = Checkpoint(path, KEY).load()
    assert state
    assert {type(value) for value in state.rows[0].values()} == {int, float}
