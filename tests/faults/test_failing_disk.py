"""Each command on a disk that fills up or fails, at one system call after the other; and killed."""

import json
import os
import subprocess
from pathlib import Path

import pytest

import failing_disk
from closure import ROOT
from system_calls import why_unavailable
from workspace import environment
from writing_commands import SCENARIOS

# Those that start TensorFlow take a second or two each time.
SLOW = {"train", "evaluate", "export litert", "export saved_model"}
QUICK = SCENARIOS.keys() - {"download an archive", "export saved_model"}


@pytest.fixture(scope="module", autouse=True)
def _held_calls() -> None:
    if reason := why_unavailable():
        pytest.skip(reason)


def try_calls(name: str, folder: Path, cases: int) -> None:
    """Let some calls of a command fail; its process is a fork that has its imports behind it."""
    paths = (ROOT / "src", ROOT / "tests/helpers")
    done = subprocess.run(
        ["python", failing_disk.__file__, name, str(folder), str(cases)],
        env={**environment(folder), "PYTHONPATH": os.pathsep.join(map(str, paths))},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    *_, numbers = done.stdout.splitlines()
    assert json.loads(numbers)["cases"] > cases, "tried nothing"
    print(name, numbers)


@pytest.mark.fault(
    "the disk is full from a write on, a system call fails, or a kill comes before one: some calls "
    "of each command that writes",
    "one line; each file is old or new; the same command again ends in the same bytes and leaves "
    "nothing else",
)
@pytest.mark.parametrize("name", sorted(QUICK))
def test_some_calls(name: str, tmp_path: Path) -> None:
    try_calls(name, tmp_path, 1 if name in SLOW else 2)


@pytest.mark.fault("the same at every call of each command that writes", "the same")
@pytest.mark.slow
@pytest.mark.parametrize("name", SCENARIOS)
def test_every_call(name: str, tmp_path: Path) -> None:
    try_calls(name, tmp_path, 0)
