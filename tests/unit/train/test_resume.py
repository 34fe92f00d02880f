"""A run that is interrupted goes on to the bits of one that was not."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cifar_pipeline.common.checksums import write_manifest
from cifar_pipeline.dataset.arrays import load_split
from cifar_pipeline.network.build import build_saved_network
from cifar_pipeline.params.presets import ModelParams
from cifar_pipeline.train.checkpoint import Checkpoint, RunState
from cifar_pipeline.train.fingerprint import fingerprint_of
from cifar_pipeline.train.loop import Run
from cifar_pipeline.trained_model.canonical_archive import save_canonical
from training_runs import (
    IMAGES,
    KEY,
    LABELS,
    STATISTICS,
    InterruptedCheckpoint,
    ProcessEndedError,
    fitted,
    recipe,
)


def saved_bytes(params: ModelParams, run: Run, path: Path) -> bytes:
    save_canonical(build_saved_network(params, STATISTICS, run.network), path, {})
    return path.read_bytes()


@pytest.mark.parametrize(
    ("name", "precision", "freq"),
    [
        ("baseline", "float32", 1),
        ("fast", "bfloat16", 2),
        ("baseline", "float32", 2),
        ("best", "float32", 1),
    ],
)
def test_an_interrupted_run_ends_in_the_same_bits(
    name: str, precision: str, freq: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    params = recipe(name, freq)
    whole = fitted(params, None, precision)
    expected = saved_bytes(params, whole, tmp_path / "whole.keras")
    number = len(whole.history)
    assert number > 2
    path = tmp_path / "training.backup"
    # The last time with all epochs done, before a model was saved.
    for epoch in (1, 2, number - 1, number):
        with pytest.raises(ProcessEndedError):
            fitted(params, InterruptedCheckpoint(path, after=epoch), precision)
    capsys.readouterr()
    run = fitted(params, Checkpoint(path, KEY), precision)
    assert f"going on after epoch {number} of {params.epochs}" in capsys.readouterr().out
    pd.testing.assert_frame_equal(run.history, whole.history, check_exact=True)
    assert (run.best_epoch, run.stopped_early) == (whole.best_epoch, whole.stopped_early)
    assert len(run.seconds) == number
    assert saved_bytes(params, run, tmp_path / "resumed.keras") == expected


@pytest.mark.parametrize("freq", [1, 2])
def test_the_recipes_of_these_tests_stop_early_and_keep_an_earlier_epoch(freq: int) -> None:
    """Else the test above would not see whether early stopping's state came back."""
    run = fitted(recipe("baseline", freq), None)
    assert run.stopped_early
    assert run.best_epoch == len(run.history) - 2 * freq


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
        best_weights=[],
        images=[np.array([np.inf, 0.5], np.float32), np.array([0, 3], np.int32)],
    )
    checkpoint = Checkpoint(tmp_path / "training.backup", KEY)
    checkpoint.save(state)
    loaded = checkpoint.load()
    assert loaded
    plain = ("epoch", "rows", "seconds", "early_stopping", "best_weights")
    assert [getattr(loaded, name) for name in plain] == [getattr(state, name) for name in plain]
    assert [array.tobytes() for array in loaded.variables] == [a.tobytes() for a in arrays]
    assert loaded.optimizer[0].dtype == np.int64
    assert [array.tolist() for array in loaded.images] == [[np.inf, 0.5], [0, 3]]
    checkpoint.remove()
    assert list(tmp_path.iterdir()) == []


def test_training_goes_on_where_a_backup_cannot_be_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("in the way")
    params = recipe("fast")
    run = fitted(params, Checkpoint(tmp_path / "file" / "training.backup", KEY))
    assert "cannot be written" in capsys.readouterr().out
    pd.testing.assert_frame_equal(run.history, fitted(params, None).history, check_exact=True)


@pytest.fixture
def processed(tmp_path: Path) -> Path:
    for split in ("train", "validation"):
        np.save(tmp_path / f"{split}_images.npy", IMAGES)
        np.save(tmp_path / f"{split}_labels.npy", LABELS)
    write_manifest(tmp_path)
    load_split(tmp_path, "train")
    return tmp_path


def test_a_run_s_key_holds_everything_it_depends_on(
    processed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    params = recipe("fast")

    def changed(**other: object) -> list[str]:
        arguments: dict[str, object] = {"params": params, "seed": 1, "precision": "float32"}
        key = fingerprint_of(**{**arguments, **other}, processed=processed)  # type: ignore[arg-type]
        return [part for part in before if before[part] != key[part]]

    before = fingerprint_of(params, 1, "float32", processed)
    assert changed() == []
    assert changed(seed=2) == ["params"]
    assert changed(precision="bfloat16") == ["params"]
    assert changed(params=params.model_copy(update={"batch_size": 17})) == ["params"]
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "3")
    assert changed() == []
    monkeypatch.setenv("OMP_NUM_THREADS", "77")
    assert changed() == ["device"]
    monkeypatch.delenv("OMP_NUM_THREADS")
    np.save(processed / "train_labels.npy", LABELS[::-1])
    write_manifest(processed)
    assert changed() == ["data"]
    monkeypatch.setattr("cifar_pipeline.train.fingerprint.version", lambda _: "0.0")
    monkeypatch.setattr("cifar_pipeline.train.fingerprint._code", dict)
    assert changed() == ["data", "code", "versions"]


def test_the_history_of_a_state_is_plain_json(tmp_path: Path) -> None:
    """What a callback's numbers become must not depend on NumPy's or Keras' types."""
    path = tmp_path / "training.backup"
    with pytest.raises(ProcessEndedError):
        fitted(recipe("fast"), InterruptedCheckpoint(path, after=1))
    state = Checkpoint(path, KEY).load()
    assert state
    assert {type(value) for value in state.rows[0].values()} == {int, float}
