"""A temporary clone of the project on synthetic data, for tests that run DVC for real."""

import copy
import os
import pickle
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest
from ruamel.yaml import YAML

from cifar_pipeline.common.file_lock import locked
from closure import ROOT
from fork_server import forks_in, prepared_programs
from synthetic import write_batches

# A full-size preset would be most of a test's time.
SMALL = {
    "models.fast.epochs": 1,
    "models.fast.early_stopping.start_from_epoch": 0,
    "models.fast.batch_size": 50,
    "models.fast.block1.filters": 8,
    "models.fast.block2.filters": 8,
    "models.fast.block3.filters": 8,
    "models.fast.block2.convolutions": 1,
    "models.fast.block3.convolutions": 1,
    "models.fast.precision": "float32",
    "preprocess.validation_images": 50,
}


AnyWorkspace = TypeVar("AnyWorkspace", bound="Workspace")
_PATIENCE = 300  # seconds
# PATH of real processes.
INTERPRETERS = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"


def search_path() -> str:
    """Return the PATH on which programs start as forks that have their imports behind them.

    Where the system lacks what the server needs, they are real ones.
    """
    try:
        os.close(os.pidfd_open(os.getpid()))
    except (AttributeError, OSError):  # not Linux, or a sandbox that forbids it
        return INTERPRETERS
    return f"{prepared_programs()}{os.pathsep}{INTERPRETERS}"


def environment(folder: Path) -> dict[str, str]:
    """Return the variables for commands in `folder`: nothing of the user's settings takes part.

    `python` and `dvc` start as forks of a process that has its imports behind it; with INTERPRETERS
    as PATH they are the real ones.
    """
    return {
        **os.environ,
        "PATH": search_path(),
        "CIFAR_PIPELINE_CACHE": str(folder / "cache"),
        "DVC_GLOBAL_CONFIG_DIR": str(folder / "no-settings"),
        "DVC_SYSTEM_CONFIG_DIR": str(folder / "no-settings"),
        # DVC notes checksums in /var/tmp/dvc, for every repository and for good.
        "DVC_SITE_CACHE_DIR": str(folder / "dvc"),
        "DVC_NO_ANALYTICS": "1",
        "DVC_STUDIO_OFFLINE": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "TF_CPP_MIN_LOG_LEVEL": "2",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_NAME": "Test",
        "GIT_AUTHOR_EMAIL": "test@example.org",
        "GIT_COMMITTER_NAME": "Test",
        "GIT_COMMITTER_EMAIL": "test@example.org",
    }


def copy_project(folder: Path, wanted: Callable[[str], bool]) -> None:
    """Copy the files that Git would, ignored ones left out, whose names are `wanted`."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    for name in listed.stdout.decode().split("\0"):
        if name and wanted(name) and (ROOT / name).is_file():
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target)


def made_once(
    tmp_path_factory: pytest.TempPathFactory, name: str, make: "Callable[[Path], AnyWorkspace]"
) -> "AnyWorkspace":
    """Return what `make` gives for a folder; the first process of the tests to ask calls it.

    The others get that, in the same folder: each of them works in a copy.
    """
    base = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent
    folder, answer = base / name, base / f"{name}.pickle"
    with locked(base / f"{name}.lock", when_busy=lambda _: None):
        if not answer.exists():
            folder.mkdir()
            answer.write_bytes(pickle.dumps(make(folder)))
        made: AnyWorkspace = pickle.loads(answer.read_bytes())
    return made


class Workspace:
    """A Git repository with the project's files, its own cache folder and small params.

    Args:
        folder: an empty folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "clone"
        self.first_output = ""
        self.source = folder / "batches"
        self.environment = environment(folder)
        # The real run's results have no place beside synthetic data.
        copy_project(
            self.folder, lambda name: name != "dvc.lock" and not name.endswith((".json", ".csv"))
        )
        sums = write_batches(self.source)
        self.set_params({**SMALL, "download.source": str(self.source), "download.sha256": sums})
        self.run("git", "init", "-q", "-b", "main")
        self.commit("small params")

    def copy(self, folder: Path) -> "Workspace":
        """Return a copy in `folder` that a test may change; it shares the batches alone."""
        other = copy.copy(self)
        other.folder = folder / "clone"
        other.environment = environment(folder)
        shutil.copytree(self.folder, other.folder, symlinks=True)
        return other

    def run(self, *command: str, expect: int = 0) -> str:
        """Run a command in the clone; return what it printed, both streams."""
        print("$", *command)  # pytest shows it where a test fails
        with subprocess.Popen(
            command,
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            try:
                output, _ = process.communicate(timeout=_PATIENCE)
            except subprocess.TimeoutExpired:
                print(self._where_it_hangs(process))
                raise
        print(output)
        assert process.returncode == expect, f"{command} ended with {process.returncode}"
        return output

    def _where_it_hangs(self, process: "subprocess.Popen[str]") -> str:
        """Kill a command and its forks; return what they printed, and where each thread stood."""
        forks = [number for each in forks_in(self.folder).values() for number in each]
        for ending in (signal.SIGUSR2, signal.SIGKILL):
            for number in forks:
                os.kill(number, ending)
            time.sleep(1)
        process.kill()
        return process.communicate()[0]

    def start(self, *command: str, output: Path, real: bool = True) -> subprocess.Popen[str]:
        """Start a command in the clone as the leader of a process group, as a terminal does.

        Args:
            command: program and arguments.
            output: the file that both of its streams go to.
            real: whether its processes are real ones, so that signals to the group reach them; else
                they are forks, which `forks_in` finds.
        """
        with output.open("w") as file:
            return subprocess.Popen(
                command,
                cwd=self.folder,
                env={**self.environment, **({"PATH": INTERPRETERS} if real else {})},
                stdout=file,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
                # Whoever runs the tests in the background may have had Ctrl-C switched off.
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
            )

    def commit(self, message: str) -> None:
        """Commit everything that Git does not ignore."""
        self.run("git", "add", "-A")
        self.run("git", "commit", "-q", "-m", message)

    def set_params(self, values: dict[str, Any]) -> None:
        """Change params.yaml; keys are dotted names."""
        yaml = YAML()
        path = self.folder / "params.yaml"
        content = yaml.load(path.read_text())
        for name, value in values.items():
            *parents, key = name.split(".")
            section = content
            for parent in parents:
                section = section[parent]
            section[key] = value
        with path.open("w") as file:
            yaml.dump(content, file)

    def read(self, name: str) -> bytes:
        """Return the bytes of a file of the clone."""
        return (self.folder / name).read_bytes()
