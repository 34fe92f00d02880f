"""TensorFlow's start-up notes stay off the terminal, and nothing else does."""

import os
import subprocess
import sys

from closure import ROOT

START = """
import sys
sys.path.insert(0, "src")
from cifar_pipeline.backend import start_backend
start_backend()
import keras
print("started", file=sys.stderr)
"""


def started(**environment: str) -> subprocess.CompletedProcess[str]:
    clean = {key: value for key, value in os.environ.items() if key != "TF_CPP_MIN_LOG_LEVEL"}
    return subprocess.run(
        [sys.executable, "-c", START],
        cwd=ROOT,
        env={**clean, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_start_up_is_quiet() -> None:
    assert started().stderr == "started\n"


def test_a_failing_start_is_not() -> None:
    done = started(KERAS_BACKEND="nonsense")
    assert done.returncode == 1
    assert "nonsense" in done.stderr
