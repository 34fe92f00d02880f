"""One thing changes: `dvc repro` runs the stages that it can alter, and no other."""

import json
import re
import shutil
from typing import Any

import numpy as np
import pytest

from cifar_pipeline.common.checksums import sha256_of
from cifar_pipeline.dataset.binary_format import decode_batch, encode_batch
from workspace import Workspace


def stages_run(workspace: Workspace, *arguments: str) -> list[str]:
    output = workspace.run("dvc", "repro", *arguments)
    return re.findall(r"^Running stage '(\w+)':", output, re.MULTILINE)


def flip_a_bit(workspace: Workspace, name: str) -> None:
    content = bytearray(workspace.read(name))
    content[100] ^= 1
    (workspace.folder / name).write_bytes(content)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"train.seed": 2}, ["train", "evaluate"]),
        ({"evaluate.confused_pairs": 2}, ["evaluate"]),
        ({"models.baseline.batch_size": 64}, []),
        # Where the bytes come from is no part of a result.
        ({"download.sources.mirror": None}, []),
    ],
    ids=["training", "evaluation", "another preset", "address"],
)
def test_a_parameter(change: dict[str, Any], expected: list[str], workspace: Workspace) -> None:
    workspace.set_params(change)
    assert stages_run(workspace) == expected


def test_a_parameter_of_preprocess(workspace: Workspace) -> None:
    workspace.set_params({"preprocess.seed": 1})
    assert stages_run(workspace, "preprocess") == ["preprocess"]
    # That train then runs, and evaluate after it, another test shows: it takes a while.
    assert "train" in json.loads(workspace.run("dvc", "status", "--json").splitlines()[-1])


@pytest.mark.parametrize(
    ("module", "expected"),
    [
        ("download/rate_limit.py", ["download"]),
        ("preprocess/hold_out.py", ["preprocess"]),
        # A comment does not change the model, so evaluate has nothing to do.
        ("train/augmentation.py", ["train"]),
        ("evaluate/terminal.py", ["evaluate"]),
        ("check_params.py", []),
    ],
)
def test_a_module(module: str, expected: list[str], workspace: Workspace) -> None:
    path = workspace.folder / "src/cifar_pipeline" / module
    path.write_text(path.read_text() + "# changed\n")  # a module that has moved is an error
    assert stages_run(workspace) == expected


def test_a_pinned_version(workspace: Workspace) -> None:
    with (workspace.folder / "requirements.txt").open("a") as file:
        file.write("# changed\n")
    assert stages_run(workspace) == ["train", "evaluate"]


@pytest.mark.parametrize("name", ["data/raw/data_batch_1.bin", "data/processed/train_images.npy"])
def test_a_damaged_byte_is_restored_and_nothing_runs(name: str, workspace: Workspace) -> None:
    before = workspace.read(name)
    flip_a_bit(workspace, name)
    assert stages_run(workspace) == []
    assert workspace.read(name) == before
    assert workspace.run("git", "status", "--porcelain") == ""


def test_another_image_in_the_source(workspace: Workspace) -> None:
    source = workspace.folder.parent / "batches"
    shutil.copytree(workspace.source, source)
    batch = source / "data_batch_1.bin"
    images, labels = decode_batch(batch.read_bytes())
    # One that is trained on: a held-out image would leave the weights, and so evaluate, alone.
    held_out = np.load(workspace.folder / "data/processed/validation_images.npy")
    is_held_out = [(held_out == image).all((1, 2, 3)).any() for image in images]
    trained = is_held_out.index(False)
    images[trained] = 255 - images[trained]
    batch.write_bytes(encode_batch(images, labels))
    change = {"download.sha256": {path.name: sha256_of(path) for path in sorted(source.iterdir())}}
    workspace.set_params({"download.source": str(source), **change})
    assert stages_run(workspace) == ["download", "preprocess", "train", "evaluate"]


def test_without_its_lock_file_everything_comes_from_the_cache(workspace: Workspace) -> None:
    lock = workspace.read("dvc.lock")
    (workspace.folder / "dvc.lock").unlink()
    assert stages_run(workspace) == []
    assert workspace.read("dvc.lock") == lock
    assert workspace.run("git", "status", "--porcelain") == ""
