"""A training under a limit of memory: it keeps to it, or is refused before it begins."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cifar_pipeline.backend.device import within_memory
from cifar_pipeline.check_params import GPU_DRIVERS
from cifar_pipeline.common.errors import PipelineError
from closure import ROOT
from memory_limit import memory_limit
from params_files import written
from synthetic import write_batches
from workspace import INTERPRETERS, Workspace


def run(
    folder: Path, limit: int, *command: str, environment: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    with memory_limit(limit) as enter:
        return subprocess.run(
            [sys.executable, *command],
            cwd=folder,
            env=environment,
            preexec_fn=enter,
            capture_output=True,
            text=True,
            encoding="utf-8",
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
        environment = {**workspace.environment, "PATH": INTERPRETERS}
        script = f"stages/{stage}.py"
        done = run(workspace.folder, 2_000_000_000, script, environment=environment)
        assert done.returncode == 0, done.stderr


@pytest.mark.fault(
    "far less memory than a training takes", "`make repro` says so in a line before it begins"
)
@pytest.mark.skipif(any(map(Path.exists, GPU_DRIVERS)), reason="a GPU has memory of its own")
def test_a_limit_that_is_far_too_small_is_said_before_training(tmp_path: Path) -> None:
    written(tmp_path, {"models.fast.batch_size": 20_000})
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    check = ("-m", "cifar_pipeline.check_params")
    done = run(tmp_path, 2_000_000_000, *check, environment=environment)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "models.fast.block2.filters: about " in line
    assert "at batch_size 20,000; this process's limit is 2.0 GB" in line


@pytest.mark.fault("memory that the device refuses, in the middle", "a line with what to lower")
def test_memory_that_the_device_refuses_is_one_line() -> None:
    """TensorFlow asks again for ten seconds before it gives up."""
    import tensorflow as tf

    refused = pytest.raises(PipelineError, match=r"^CPU, .*: out of memory; lower it$")
    with refused, within_memory("lower it"):
        tf.zeros((2_000_000, 1_000_000, 9))
    with pytest.raises(ValueError, match="other"), within_memory("lower it"):
        raise ValueError("other")
