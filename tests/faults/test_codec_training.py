"""The codec's stage `train`, killed in the middle: the same command goes on, to the same bytes."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from ruamel.yaml import YAML

from cifar_pipeline.common.checksums import sha256_of, write_manifest
from closure import ROOT
from codec_trainings import NETWORK, preset
from synthetic import synthetic_split

pytestmark = pytest.mark.slow
EPOCHS = 40
PATIENCE = 300  # seconds, for an epoch to end


def lay_out(folder: Path) -> list[str]:
    """Write arrays and parameters into `folder`; return the command that trains there."""
    processed = folder / "processed"
    processed.mkdir(parents=True)
    for seed, split in enumerate(("train", "validation")):
        images, labels = synthetic_split(48, seed)
        np.save(processed / f"{split}_images.npy", images)
        np.save(processed / f"{split}_labels.npy", labels)
    write_manifest(processed)
    network = NETWORK.model_dump() | {"channels": 4}
    content = {
        "train": {"model": "tiny", "seed": 1},
        "models": {"tiny": preset(epochs=EPOCHS, network=network).model_dump()},
    }
    YAML(typ="safe", pure=True).dump(content, folder / "params.yaml")
    names = {"processed": "processed", "models": "models", "reports": "reports"}
    options = [f"--{name}={folder / path}" for name, path in names.items()]
    script = str(ROOT / "codec/stages/train.py")
    return [sys.executable, script, *options, f"--params={folder / 'params.yaml'}"]


@pytest.mark.fault(
    "the codec's training is killed (`kill -9`)",
    "the same command goes on after the last saved epoch, and leaves the same model",
)
def test_a_killed_training_goes_on_to_the_same_model(tmp_path: Path) -> None:
    subprocess.run(lay_out(tmp_path / "whole"), check=True, capture_output=True)
    folder = tmp_path / "killed"
    command = lay_out(folder)
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + PATIENCE
    while not (folder / "models/training.backup").exists():
        assert process.poll() is None, "it has ended by itself"
        assert time.monotonic() < deadline, "no epoch has ended"
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not (folder / "models/model.npz").exists()
    ended = subprocess.run(command, check=True, capture_output=True, text=True)
    assert "going on after epoch" in ended.stdout
    digests = {sha256_of(tmp_path / name / "models/model.npz") for name in ("whole", "killed")}
    assert len(digests) == 1
