"""Fixtures that more than one module of tests uses."""

import gc
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from cifar_pipeline.backend.start import start_backend
from cifar_pipeline.common.signals import HANDLED

# A failing assertion of theirs shows its values, as one of a test does.
HELPERS = Path(__file__).parent / "helpers"
pytest.register_assert_rewrite(*(path.stem for path in HELPERS.glob("*.py")))

from skips import NOT_HERE  # noqa: E402
from workspace import Workspace, made_once  # noqa: E402


def pytest_configure(config: pytest.Config) -> None:
    """Start the backend as the stages do, deterministic operations among it.

    That comes before a module of tests imports Keras: it keeps JAX out, which sets
    TF_CPP_MIN_LOG_LEVEL for every process that a test starts. The process that hands the tests out
    to others (pytest -n) runs none.
    """
    hands_out = config.getoption("numprocesses", 0) and not hasattr(config, "workerinput")
    if not hands_out:
        start_backend()
        gc.set_threshold(200_000)  # TensorFlow's graphs are many objects: a tenth of the time


def run_once(folder: Path) -> Workspace:
    """Return a workspace in which `dvc repro` has run once."""
    workspace = Workspace(folder)
    workspace.first_output = workspace.run("dvc", "repro")
    workspace.commit("first run")
    return workspace


@pytest.fixture(scope="session")
def finished_workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace in which `dvc repro` has run once. Tests that change it copy it first."""
    made = made_once(tmp_path_factory, "finished", run_once)
    return made.copy(tmp_path_factory.mktemp("pipeline"))


@pytest.fixture
def workspace(finished_workspace: Workspace, tmp_path: Path) -> Workspace:
    """A copy of the finished workspace that a test may change."""
    return finished_workspace.copy(tmp_path)


@pytest.fixture(autouse=True)
def _signals_stop_the_tests() -> Iterator[None]:
    """A command that ran inside a test has taken Ctrl-C and its like for its own."""
    yield
    for each in HANDLED:
        signal.signal(each, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol() -> Iterator[object]:
    """What a test's imports put into the environment (tf2onnx does) ends with it."""
    before = dict(os.environ)
    try:
        return (yield)
    finally:
        for name in os.environ.keys() - before.keys():
            del os.environ[name]
        os.environ.update(before)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Where CI asks for it, a skipped test fails the run: CI installs what tests need.

    What no installation brings, because the kernel forbids it, is skipped there too.
    """
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter.stats.get("skipped", []) if reporter else []
    skipped = [report for report in skipped if NOT_HERE not in str(report.longrepr)]
    if skipped and os.environ.get("CIFAR_PIPELINE_NO_SKIP"):
        reporter.write_line(f"{len(skipped)} skipped, and none may be here", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
