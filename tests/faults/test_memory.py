"""A training under a limit of memory: it keeps to it, or is refused before it begins."""

import shutil
import subprocess
from pathlib import Path

import pytest

from closure import ROOT
from memory_limit import memory_limit
from synthetic import write_batches
from workspace import INTERPRETERS, Workspace


def run(workspace: Workspace, limit: int, *command: str) -> subprocess.CompletedProcess[str]:
    with memory_limit(limit) as enter:
        return subprocess.run(
            ["python", *command],
            cwd=workspace.folder,
            env={**workspace.environment, "PATH": INTERPRETERS, "PYTHONPATH": "src"},
            preexec_fn=enter,
            capture_output=True,
            text=True,
            timeout=3000,
        )


@pytest.mark.slow
@pytest.mark.fault("2 GB of memory", "`fast` trains and is evaluated")
def test_fast_trains_in_two_gigabytes(tmp_path: Path) -> None:
    """As it is committed, on fewer images: batches are of the same size."""
    workspace = Workspace(tmp_path)
    shutil.copy(ROOT / "params.yaml", workspace.folder)
    sums = write_batches(workspace.folder / "official", 600)
    workspace.set_params(
        {
            "download.source": "official",
            "download.sha256": sums,
            "preprocess.validation_images": 500,
            "evaluate.batch_size": 100_000_000,
            "evaluate.test_time_augmentation": "flip_shift",
        }
    )
    for stage in ("download", "preprocess", "train", "evaluate"):
        done = run(workspace, 2_000_000_000, f"stages/{stage}.py")
        assert done.returncode == 0, done.stderr


@pytest.mark.fault(
    "far less memory than a training takes", "`make repro` says so in a line before it begins"
)
def test_a_limit_that_is_far_too_small_is_said_before_training(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    shutil.copy(ROOT / "params.yaml", workspace.folder)
    workspace.set_params({"models.fast.batch_size": 20_000})
    done = run(workspace, 2_000_000_000, "-m", "cifar_pipeline.check_params")
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "models.fast.block2.filters: about " in line
    assert "at batch_size 20,000; this process's limit is 2.0 GB" in line
