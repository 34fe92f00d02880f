"""A pipeline that was killed: what the next run finds, and what it ends in."""

import os
import random
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from fork_server import forks_in
from workspace import Workspace

# What `make repro` does once environment and parameters are there.
REPRO = ("make", "-s", "-o", "setup", "-o", "check-params", "repro")
OUTPUTS = ("data", "models", "reports")
NOT_COMPARED = {"training.lock", "train_timings.json", ".gitignore"}
ORPHAN = re.compile(r"process (\d+) trains in .*, or stop it with `kill \1`")
KILLS = 5
LONGEST = 60.0  # seconds that a stage which outlives dvc may take


@pytest.mark.fault("a kill tore the lock file of DVC", "`make repro` removes it and goes on")
@pytest.mark.parametrize("torn", ["", '{"data/raw": {"wri'])
def test_a_lock_file_of_dvc_that_a_kill_tore_is_mended(
    torn: str, finished_workspace: Workspace, tmp_path: Path
) -> None:
    workspace = finished_workspace.copy(tmp_path)
    path = workspace.folder / ".dvc/tmp/rwlock"
    path.write_text(torn)
    assert "Unable to read RWLock-file" in workspace.run("dvc", "repro", "preprocess", expect=255)
    assert "up to date" in workspace.run(*REPRO)


@pytest.mark.fault("a kill tore dvc.lock", "`make repro` makes it anew; no stage runs again")
@pytest.mark.parametrize("kept", [0, 1000])
def test_a_dvc_lock_that_a_kill_tore_is_made_anew(
    kept: int, finished_workspace: Workspace, tmp_path: Path
) -> None:
    workspace = finished_workspace.copy(tmp_path)
    before = results(workspace)
    whole = workspace.read("dvc.lock")
    (workspace.folder / "dvc.lock").write_bytes(whole[:kept].rstrip())
    text = workspace.run(*REPRO)
    assert "dvc.lock is torn" in text
    assert "Running stage" not in text
    assert results(workspace) == before
    assert "dvc.lock is torn" not in workspace.run(*REPRO)


@pytest.fixture(scope="module")
def nothing_run(
    finished_workspace: Workspace, tmp_path_factory: pytest.TempPathFactory
) -> Workspace:
    """A workspace in which nothing has run, with some epochs to train."""
    workspace = finished_workspace.copy(tmp_path_factory.mktemp("nothing"))
    for name in (*OUTPUTS, ".dvc/cache", ".dvc/tmp"):
        shutil.rmtree(workspace.folder / name)
    (workspace.folder / "dvc.lock").unlink()
    workspace.run("git", "checkout", "HEAD", "--", "data", "models", "reports")
    workspace.run("git", "rm", "-q", "--cached", "dvc.lock", "reports/*.json", "reports/*.csv")
    for path in (workspace.folder / "reports").glob("*.*"):
        path.unlink()
    workspace.set_params(
        {
            "models.fast.epochs": 6,
            "models.fast.early_stopping.start_from_epoch": 5,
            "models.fast.block1.dropout": 0.2,
        }
    )
    workspace.commit("nothing has run")
    return workspace


@pytest.fixture(scope="module")
def undisturbed(
    nothing_run: Workspace, tmp_path_factory: pytest.TempPathFactory
) -> tuple[dict[str, bytes], float]:
    """What a run leaves that nothing disturbed, and the seconds that it takes."""
    workspace = nothing_run.copy(tmp_path_factory.mktemp("undisturbed"))
    start = time.monotonic()
    workspace.run(*REPRO)
    return results(workspace), time.monotonic() - start


def results(workspace: Workspace) -> dict[str, bytes]:
    """Return every file that the pipeline has left, and what DVC has noted."""
    paths = [path for name in OUTPUTS for path in (workspace.folder / name).rglob("*")]
    return {
        str(path.relative_to(workspace.folder)): path.read_bytes()
        for path in (*paths, workspace.folder / "dvc.lock")
        if path.is_file() and path.name not in NOT_COMPARED
    }


def kill(processes: list[int], number: int = signal.SIGKILL) -> None:
    for process in processes:
        with suppress(ProcessLookupError):
            os.kill(process, number)


def wait_for_end(workspace: Workspace) -> None:
    """Wait until no stage runs in the workspace."""
    last = time.monotonic() + LONGEST
    while forks_in(workspace.folder)["python"]:
        assert time.monotonic() < last, "a stage does not end"
        time.sleep(0.05)


class Killer:
    """Kills a run at a random moment, and lets `make repro` end it.

    Args:
        workspace: in which nothing has run.
        random: what decides.
        seconds: that an undisturbed run takes.
    """

    def __init__(self, workspace: Workspace, random: random.Random, seconds: float) -> None:
        self._workspace, self._random, self._seconds = workspace, random, seconds

    def kill_once(self, before: int) -> str:
        """Start the pipeline and kill dvc, its stage or both; return what was killed, and when.

        The more kills came before, the less is left to do, and the sooner this one comes.
        """
        process = subprocess.Popen(
            ["dvc", "repro"],
            cwd=self._workspace.folder,
            env=self._workspace.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        moment = self._random.uniform(0, 0.8 * self._seconds / (1 + before))
        with suppress(subprocess.TimeoutExpired):
            process.wait(moment)
            return f"nothing: it ended within {moment:.2f} s"
        targets = self._random.choice([["dvc"], ["python"], ["dvc", "python"]])
        found = forks_in(self._workspace.folder)
        if not found["python"]:
            targets = ["dvc"]  # between two stages
        for target in targets:
            kill(found[target])
        process.wait()
        return f"{' and '.join(targets)} after {moment:.2f} s"

    def finish(self) -> None:
        """Run `make repro` to its end, beside a stage that outlived dvc or after it."""
        if self._random.random() < 0.5:
            wait_for_end(self._workspace)
        for _ in range(3):
            done = subprocess.run(
                REPRO,
                cwd=self._workspace.folder,
                env=self._workspace.environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
            )
            print(done.stdout)
            assert "Traceback" not in done.stdout
            if not done.returncode:
                return
            orphan = re.search(
                r"process (\d+) trains in .*, or stop it with `kill \1`", done.stdout
            )
            assert orphan, "ended for another reason than a training that outlived dvc"
            assert "device:" not in done.stdout, "trained beside it"
            if self._random.random() < 0.5:
                kill([int(orphan[1])], signal.SIGTERM)
            wait_for_end(self._workspace)
        raise AssertionError("still not done")


@pytest.fixture
def workspace(nothing_run: Workspace, tmp_path: Path) -> Iterator[Workspace]:
    copy = nothing_run.copy(tmp_path)
    yield copy
    for processes in forks_in(copy.folder).values():
        kill(processes)


@pytest.mark.fault(
    "kill -9 of `dvc`, of its stage or of both, at random moments of `dvc repro`, five in a row",
    "`make repro` ends in the same bytes; it trains beside no training that has outlived `dvc`, "
    "and names its process",
)
@pytest.mark.parametrize(
    "seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 40))]
)
def test_kills_in_a_row(
    seed: int, workspace: Workspace, undisturbed: tuple[dict[str, bytes], float]
) -> None:
    expected, seconds = undisturbed
    print(f"seed {seed}")  # pytest shows it where a test fails
    killer = Killer(workspace, random.Random(seed), seconds)
    for before in range(KILLS):
        print("killed:", killer.kill_once(before), flush=True)
    killer.finish()
    wait_for_end(workspace)
    ours = results(workspace)
    assert sorted(ours) == sorted(expected)
    assert [name for name in ours if ours[name] != expected[name]] == []
