"""A stage runs the code beside it, and says so in one line under the wrong Python."""

import shutil
import subprocess
import sys
from pathlib import Path

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


def test_a_copied_folder_runs_its_own_code(tmp_path: Path) -> None:
    """As a queued or temporary experiment of DVC is: a copy of the workspace elsewhere."""
    for folder in ("stages", "src"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    with (tmp_path / "src/cifar_pipeline/common/console.py").open("a") as file:
        file.write("\nprint('this is the copy')\n")
    done = subprocess.run(
        [sys.executable, tmp_path / "stages/preprocess.py", "--help"],
        cwd=ROOT,
        # The original on the path, as an editable install would have it.
        env={"PYTHONPATH": str(ROOT / "src"), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("this is the copy\n")
