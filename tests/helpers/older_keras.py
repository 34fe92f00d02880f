"""Environments with another Keras than the project's, each kept in .venv for the next call."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

import pytest

from closure import ROOT

LOCK = ROOT / "tests/locks/keras-3.6.txt"
LOCKED = "3.6.0"
NEWEST = "newest"
_FOLDER = ROOT / ".venv/keras"  # `make clean` removes it
_PIP = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check")


def ask(version: str, backend: str, models: list[Path]) -> dict[str, Any]:
    """Return what plain_keras.py prints of `models` with a version of Keras on a backend."""
    environment = {**os.environ, "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "2"}
    environment.pop("PYTHONPATH", None)
    if version != LOCKED:
        environment["PYTHONPATH"] = str(_keras(version))
    program = Path(__file__).with_name("plain_keras.py")
    done = subprocess.run(
        [_python(), program, *models], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


def _python() -> Path:
    """Return the interpreter of an environment of the lock, which is made where it is missing."""
    made = _FOLDER / hashlib.sha256(LOCK.read_bytes()).hexdigest()[:16]
    python = made / "bin/python"
    if not (made / "whole").exists():
        shutil.rmtree(_FOLDER, ignore_errors=True)
        _make_environment(made)
        subprocess.run([python, *_PIP, "--require-hashes", "-r", LOCK], check=True)
        (made / "whole").touch()
    return python


def _make_environment(folder: Path) -> None:
    """Make an environment of a Python for which TensorFlow 2.18 was released."""
    if sys.version_info < (3, 13):
        venv.create(folder, with_pip=True)
        return
    other = shutil.which("python3.12") or shutil.which("python3.11")
    if other is None:
        pytest.skip("TensorFlow 2.18 needs Python 3.11 or 3.12")
    subprocess.run([other, "-m", "venv", folder], check=True)


def _keras(version: str) -> Path:
    """Return a folder for PYTHONPATH with that version of Keras alone, installed if missing."""
    folder = _python().parents[1] / f"keras-{version}"
    pin = "keras" if version == NEWEST else f"keras=={version}"
    if version == NEWEST:  # of today
        shutil.rmtree(folder, ignore_errors=True)
    if not folder.exists():
        subprocess.run([_python(), *_PIP, "--no-deps", "--target", folder, pin], check=True)
    return folder
