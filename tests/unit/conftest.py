"""The tests in here run in their own process: they start no program, and so no DVC."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from small_models import save_model

STARTS = {"os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.system"}
STARTS |= {"subprocess.Popen"}
running: list[str] = []


def _refuse_processes(event: str, arguments: tuple[Any, ...]) -> None:
    if running and event in STARTS:
        raise AssertionError(
            f"{running[0]} starts a process ({event} of {arguments[:1]}): such tests stand in "
            "tests/commands, tests/pipeline or another folder beside tests/unit"
        )


sys.addaudithook(_refuse_processes)


@pytest.fixture(autouse=True)
def _starts_no_process(request: pytest.FixtureRequest) -> Iterator[None]:
    running.append(request.node.nodeid)
    yield
    running.clear()


@pytest.fixture(scope="session")
def model_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a small model that knows noise. Tests that change it copy it first."""
    path = tmp_path_factory.mktemp("models") / "model.keras"
    save_model(path)
    return path
