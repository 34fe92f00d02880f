"""A stage under the wrong Python says so in one line."""

import subprocess
import sys

import pytest

from closure import ROOT


@pytest.mark.parametrize("stage", ["download", "preprocess", "train", "evaluate"])
def test_a_python_without_the_requirements_is_named(stage: str) -> None:
    # -S leaves site-packages out, as the system's Python would lack them; -I ignores PYTHONPATH.
    done = subprocess.run(
        [sys.executable, "-I", "-S", ROOT / "stages" / f"{stage}.py"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert "typer" in done.stderr
    assert "make repro" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
