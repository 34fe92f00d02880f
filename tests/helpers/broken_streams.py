"""Standard streams that are closed, full or gone, and a small project whose commands get them."""

import functools
import os
import pty
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from closure import ROOT
from params_files import written
from picture_folders import write_pictures
from workspace import INTERPRETERS, SMALL, environment

CLOSED = None
Opener = Callable[[], int] | None


def full() -> int:
    """Open a disk without room."""
    return os.open("/dev/full", os.O_WRONLY)


def read_by_nobody() -> int:
    """Return the end of a pipe whose reader has ended."""
    reader, writer = os.pipe()
    os.close(reader)
    return writer


def hung_up() -> int:
    """Return a terminal that has gone away."""
    terminal, end = pty.openpty()
    os.close(terminal)
    return end


def only_read() -> int:
    """Return a file that cannot be written to."""
    return os.open(os.devnull, os.O_RDONLY)


# By the number of the stream; the others are as they should be.
FAULTS: dict[str, dict[int, Opener]] = {
    "no standard output": {1: CLOSED},
    "no standard error": {2: CLOSED},
    "no standard input": {0: CLOSED},
    "no streams": {0: CLOSED, 1: CLOSED, 2: CLOSED},
    "full standard output": {1: full},
    "full standard error": {2: full},
    "full streams": {1: full, 2: full},
    "standard output read by nobody": {1: read_by_nobody},
    "streams read by nobody": {1: read_by_nobody, 2: read_by_nobody},
    "a terminal that has gone": {0: hung_up, 1: hung_up, 2: hung_up},
    "standard output that can only be read": {1: only_read},
}


def stage(name: str) -> list[str]:
    """Return the arguments that start a stage."""
    return [str(ROOT / "stages" / f"{name}.py")]


PROGRAM = ["-m", "cifar_pipeline"]
# The commands whose results are files, in an order in which each has what it needs.
WRITING = {
    "adopt": [*PROGRAM, "adopt", "pictures"],
    "check-params": ["-m", "cifar_pipeline.check_params"],
    "download": stage("download"),
    "preprocess": stage("preprocess"),
    "train": stage("train"),
    "evaluate": stage("evaluate"),
    "export": [*PROGRAM, "export", "litert"],
}
WITHOUT_TENSORFLOW = ("adopt", "check-params", "download", "preprocess")
# What each leaves.
LEFT = {
    "adopt": "params.yaml",
    "check-params": "params.yaml",
    "download": "data/raw/manifest.json",
    "preprocess": "data/processed/manifest.json",
    "train": "reports/train_metrics.json",
    "evaluate": "reports/index.html",
    "export": "exports/model.tflite",
}


def lay_out_project(folder: Path, epochs: int = 1) -> None:
    """Put pictures of three classes, and params.yaml with a small preset, into `folder`."""
    write_pictures(folder / "pictures")
    quick = {
        "models.fast.batch_size": 8,
        "models.fast.epochs": epochs,
        "preprocess.validation_images": 6,
    }
    written(folder, {**SMALL, **quick})


def break_streams(streams: Mapping[int, Opener]) -> None:
    """Let the streams of this process be those; for `preexec_fn`."""
    for number, opener in streams.items():
        os.close(number)
        if opener:
            opened = opener()
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
            os.set_inheritable(number, True)


def run(
    folder: Path,
    command: list[str],
    streams: Mapping[int, Opener] | None = None,
    real: bool = False,
    **variables: str,
) -> subprocess.CompletedProcess[str]:
    """Run a command in `folder`; return its exit code and what can be read of its output.

    Args:
        folder: made by `lay_out_project`.
        command: arguments of `python`.
        streams: that are not as they should be.
        real: whether the process is no fork of one with its imports behind it.
        variables: of its environment.
    """

    search = {"PATH": INTERPRETERS} if real else {}
    base = environment(folder)
    del base["TF_CPP_MIN_LOG_LEVEL"]  # with it, TensorFlow's notes would be shown
    return subprocess.run(
        [sys.executable if real else "python", *command],
        cwd=folder,
        env={**base, "PYTHONPATH": str(ROOT / "src"), **search, **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        preexec_fn=functools.partial(break_streams, streams or {}),
        encoding="utf-8",
        errors="replace",
        check=False,
    )
