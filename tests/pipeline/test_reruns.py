"""One thing changes: `dvc repro` runs the stages that it can alter, and no other."""

import json
import re
import shutil
from pathlib import Path
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
        ({"models.quick.batch_size": 64}, []),
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


def append_a_comment(workspace: Workspace, name: str) -> None:
    path = workspace.folder / name
    path.write_text(path.read_text() + "# changed\n")  # a module that has moved is an error


def test_a_comment_in_what_trains(workspace: Workspace) -> None:
    """It does not change the model, so evaluate has nothing to do."""
    append_a_comment(workspace, "src/cifar_pipeline/train/augmentation.py")
    assert stages_run(workspace) == ["train"]


def test_modules_and_pinned_versions(workspace: Workspace) -> None:
    """A stage that `dvc status` names runs: with a change each, every stage would, one by one."""
    readers = {
        "src/cifar_pipeline/download/rate_limit.py": ["download"],
        "src/cifar_pipeline/preprocess/hold_out.py": ["preprocess"],
        "src/cifar_pipeline/train/augmentation.py": ["train"],
        "src/cifar_pipeline/evaluate/terminal.py": ["evaluate"],
        "src/cifar_pipeline/check_params.py": [],
        "requirements.txt": ["evaluate", "train"],
    }
    for name in readers:
        append_a_comment(workspace, name)
    status = json.loads(workspace.run("dvc", "status", "--json").splitlines()[-1])
    changed = {
        stage: {dep for change in changes for dep in change.get("changed deps", {})}
        for stage, changes in status.items()
    }
    for name, stages in readers.items():
        itself_and_its_folders = {name, *map(str, Path(name).parents)}
        assert sorted(s for s in changed if changed[s] & itself_and_its_folders) == stages, name


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
