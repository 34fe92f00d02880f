"""A training killed, interrupted or started twice goes on, and never trains beside itself."""

import csv
import json
import os
import random
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from fork_server import forks_in
from workspace import Workspace

CHECKPOINT = "models/training.backup"
PRODUCED = (
    "dvc.lock",
    "models/model.keras",
    "models/validation_outputs.npz",
    "reports/history.csv",
    "reports/train_metrics.json",
)
LEFT_BY_KILLED_PROCESSES = ("training.backup.x1y2.backup", "model.keras.x1y2.keras")
# Long enough to be killed in, and with dropout: its random streams have to go on too.
EPOCHS = 10
MANY_EPOCHS = {
    "models.fast.epochs": EPOCHS,
    "models.fast.early_stopping.start_from_epoch": EPOCHS - 1,
    "models.fast.block1.dropout": 0.2,
}

ONE_EPOCH = {"models.fast.epochs": 1, "models.fast.early_stopping.start_from_epoch": 0}


@pytest.fixture(scope="module")
def data_ready(
    finished_workspace: Workspace, tmp_path_factory: pytest.TempPathFactory
) -> Workspace:
    """A workspace that has its arrays, and nothing of a training."""
    workspace = finished_workspace.copy(tmp_path_factory.mktemp("interrupted"))
    for path in (*workspace.folder.glob("models/*"), *workspace.folder.glob("reports/*.*")):
        path.unlink()
    workspace.run("git", "restore", "models/.gitignore", "reports/.gitignore")
    lock = workspace.folder / "dvc.lock"
    stages = YAML(typ="safe").load(lock)
    for name in ("train", "evaluate"):
        del stages["stages"][name]
    YAML().dump(stages, lock)
    workspace.set_params(MANY_EPOCHS)
    workspace.commit("many epochs")
    return workspace


@pytest.fixture
def workspace(data_ready: Workspace, tmp_path: Path) -> Iterator[Workspace]:
    copy = data_ready.copy(tmp_path)
    yield copy
    # Nothing that a failed test left running outlives it.
    pid = trainer(copy)
    if pid:
        os.kill(pid, signal.SIGKILL)


@pytest.fixture(scope="module")
def uninterrupted(
    data_ready: Workspace, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, bytes]:
    """What a run leaves that nothing disturbed."""
    copy = data_ready.copy(tmp_path_factory.mktemp("uninterrupted"))
    copy.run("dvc", "repro", "train")
    return {name: copy.read(name) for name in PRODUCED}


def trainer(workspace: Workspace) -> int:
    """Return the process number of a trainer that runs in the workspace, 0 for none."""
    lock = workspace.folder / "models/training.lock"
    pid = int(lock.read_text() or 0) if lock.exists() else 0
    command = Path(f"/proc/{pid}/cmdline")
    real = command.exists() and b"train.py" in command.read_bytes()
    return pid if real or pid in forks_in(workspace.folder)["python"] else 0


def wait_for(condition: Callable[[], object], process: subprocess.Popen[str]) -> None:
    """Wait until `condition` holds, as long as the process that has to bring it about lives."""
    while not condition():
        assert process.poll() is None, "ended too early"
        time.sleep(0.005)


def start_training(workspace: Workspace, real: bool = False) -> subprocess.Popen[str]:
    """Start `dvc repro` and return once an epoch has been finished and kept.

    Args:
        workspace: where it runs.
        real: whether dvc and its stage are real processes, to which signals of a terminal go, and
            not forks.
    """
    out = workspace.folder.parent / "output"
    process = workspace.start("dvc", "repro", "train", output=out, real=real)
    wait_for((workspace.folder / CHECKPOINT).exists, process)
    return process


def kill_all(workspace: Workspace, process: subprocess.Popen[str]) -> None:
    """Kill dvc and its stage at once, as a loss of power does."""
    for processes in forks_in(workspace.folder).values():
        for number in processes:
            os.kill(number, signal.SIGKILL)
    process.wait()


def output(workspace: Workspace) -> str:
    return (workspace.folder.parent / "output").read_text()


def assert_same(workspace: Workspace, uninterrupted: dict[str, bytes]) -> None:
    assert {name: workspace.read(name) for name in PRODUCED} == uninterrupted
    # Neither checkpoint, lock nor timings are anything that Git would add.
    seen = workspace.run("git", "ls-files", "--others", "--exclude-standard").split()
    assert sorted(seen) == ["reports/history.csv", "reports/train_metrics.json"]
    timings = json.loads(workspace.read("reports/train_timings.json"))
    assert len(timings["epoch_seconds"]) == EPOCHS


def test_a_killed_training_goes_on_and_ends_in_the_same_bits(
    workspace: Workspace, uninterrupted: dict[str, bytes]
) -> None:
    kill_all(workspace, start_training(workspace))
    assert not (workspace.folder / "models/model.keras").exists()
    text = workspace.run("dvc", "repro", "train")
    assert "going on after epoch" in text
    assert f"epoch 1/{EPOCHS}" not in text
    assert_same(workspace, uninterrupted)
    # It may still be needed: dvc can be killed before it notes what train has left.
    assert (workspace.folder / CHECKPOINT).exists()
    workspace.run("dvc", "repro")
    assert not (workspace.folder / CHECKPOINT).exists()


def test_a_training_that_dvc_did_not_note_is_not_lost(
    workspace: Workspace, uninterrupted: dict[str, bytes]
) -> None:
    # As it is when dvc was killed after the stage's end, or before it and the stage lived on.
    workspace.run("env", "DVC_STAGE=train", "python", "stages/train.py")
    assert f"going on after epoch {EPOCHS} of {EPOCHS}" in workspace.run("dvc", "repro", "train")
    assert_same(workspace, uninterrupted)


def test_without_dvc_nothing_is_left_beside_the_results(workspace: Workspace) -> None:
    workspace.set_params(
        {"models.fast.epochs": 1, "models.fast.early_stopping.start_from_epoch": 0}
    )
    leftovers = [workspace.folder / "models" / f".{name}" for name in LEFT_BY_KILLED_PROCESSES]
    for leftover in leftovers:
        leftover.write_bytes(b"half")
    before = workspace.run("git", "status", "--porcelain", "-uall")
    assert "half" not in before
    assert "models/." not in before
    workspace.run("python", "stages/train.py")
    found = {path.name for path in (workspace.folder / "models").iterdir()}
    assert found == {".gitignore", "model.keras", "training.lock", "validation_outputs.npz"}


def test_ctrl_c_says_how_to_go_on(workspace: Workspace, uninterrupted: dict[str, bytes]) -> None:
    process = start_training(workspace, real=True)
    os.killpg(process.pid, signal.SIGINT)  # a terminal sends it to the whole group
    assert process.wait() != 0
    assert trainer(workspace) == 0
    text = output(workspace)
    assert text.count("interrupted: the same command goes on after the last saved epoch") == 1
    assert "`dvc checkout` and `git restore reports`" in text
    assert "Traceback" not in text
    assert "going on after epoch" in workspace.run("dvc", "repro", "train")
    assert_same(workspace, uninterrupted)


def test_a_changed_parameter_does_not_go_on(workspace: Workspace) -> None:
    kill_all(workspace, start_training(workspace))
    workspace.set_params({"models.fast.label_smoothing": 0.1, "models.fast.epochs": 2})
    workspace.set_params({"models.fast.early_stopping.start_from_epoch": 1})
    text = workspace.run("dvc", "repro", "train")
    assert "is of another run (different params): training starts from the first epoch" in text
    assert "epoch 1/2" in text


def test_a_second_dvc_repro_waits_or_ends_beside_the_first(
    workspace: Workspace, uninterrupted: dict[str, bytes]
) -> None:
    process = start_training(workspace)
    first = trainer(workspace)
    os.kill(first, signal.SIGSTOP)  # so that it is still there
    (dvc,) = forks_in(workspace.folder)["dvc"]
    text = workspace.run("dvc", "repro", "train", expect=255)
    os.kill(first, signal.SIGCONT)
    assert f"PID {dvc}" in text
    assert "stages/train.py" not in text
    assert trainer(workspace) == first
    assert process.wait() == 0
    assert_same(workspace, uninterrupted)


@pytest.mark.parametrize("shell", ["/bin/bash", "/bin/sh"])  # the second stays between the two
def test_an_orphaned_trainer_is_never_trained_beside(
    shell: str, workspace: Workspace, uninterrupted: dict[str, bytes]
) -> None:
    workspace.environment["SHELL"] = shell
    process = start_training(workspace, real=True)
    process.kill()  # dvc alone
    process.wait()
    orphan = trainer(workspace)
    os.kill(orphan, signal.SIGSTOP)  # so that it is still there
    text = workspace.run("dvc", "repro", "train", expect=255)
    assert f"process {orphan} trains in" in text
    assert f"`kill {orphan}`" in text
    assert "device:" not in text
    os.kill(orphan, signal.SIGCONT)
    while trainer(workspace):
        time.sleep(0.05)
    # dvc did not see it end, so the stage runs again, and finds everything done.
    text = workspace.run("dvc", "repro", "train")
    assert f"going on after epoch {EPOCHS} of {EPOCHS}" in text
    assert_same(workspace, uninterrupted)


@pytest.mark.slow
def test_kills_at_random_moments(workspace: Workspace) -> None:
    """Killed in whatever it was doing, ten times over: starting, training, saving."""
    last = 400
    workspace.set_params({"models.fast.epochs": last})
    workspace.set_params({"models.fast.early_stopping.start_from_epoch": last - 1})
    reference = workspace.copy(workspace.folder.parent / "reference")
    reference.run("dvc", "repro", "train")
    moments = random.Random(20)
    text = ""
    for _ in range(10):
        process = workspace.start(
            "dvc", "repro", "train", output=workspace.folder.parent / "output"
        )
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(timeout=moments.uniform(2, 12))
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        text += output(workspace)
    text += workspace.run("dvc", "repro", "train")
    assert text.count("going on after epoch") > 3
    assert text.count(f"epoch 1/{last}:") == 1
    assert {name: workspace.read(name) for name in PRODUCED} == {
        name: reference.read(name) for name in PRODUCED
    }


def test_an_epoch_without_validation_has_nan(uninterrupted: dict[str, bytes]) -> None:
    """DVC's plots leave NaN out; they would draw an empty field as 0."""
    _, *rows = csv.reader(uninterrupted["reports/history.csv"].decode().splitlines())
    assert len(rows) == EPOCHS
    for epoch, _, _, *validation, _ in rows:
        assert (validation == ["NaN", "NaN"]) == (int(epoch) % 2 == 1)
