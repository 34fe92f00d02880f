"""The same code, params and data give the same bytes, wherever and however often they run."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from closure import ROOT
from workspace import INTERPRETERS, Workspace

STAGES = ("download", "preprocess", "train", "evaluate")


def outs(lock: bytes, stage: str) -> list[dict[str, Any]]:
    """Return what a stage has left, with sizes and hashes, according to a dvc.lock."""
    return list(YAML(typ="safe", pure=True).load(lock)["stages"][stage]["outs"])


def contents(workspace: Workspace) -> dict[str, bytes]:
    """Return the files that the four stages have left."""
    lock = workspace.read("dvc.lock")
    left = [workspace.folder / out["path"] for stage in STAGES for out in outs(lock, stage)]
    files = [file for path in left for file in (path.rglob("*") if path.is_dir() else [path])]
    return {file.relative_to(workspace.folder).as_posix(): file.read_bytes() for file in files}


def test_two_clones_leave_the_same_bytes(
    finished_workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONHASHSEED", "20171123")  # of the first: another one, or random
    monkeypatch.setenv("TZ", "Asia/Kathmandu")
    monkeypatch.setenv("LC_ALL", "C")
    other = Workspace(tmp_path)
    other.environment["PATH"] = INTERPRETERS  # the first came from forks
    other.run("dvc", "repro")
    assert other.read("dvc.lock") == finished_workspace.read("dvc.lock")
    first = contents(finished_workspace)
    assert {"models/model.keras", "reports/test_metrics.json", "reports/history.csv"} < set(first)
    assert contents(other) == first


@pytest.fixture
def with_real_params(workspace: Workspace) -> Iterator[Workspace]:
    """A workspace with the project's own params.yaml, and the user's cache of downloads."""
    shutil.copy(ROOT / "params.yaml", workspace.folder)
    variable = "CIFAR_PIPELINE_CACHE"
    del workspace.environment[variable]
    if variable in os.environ:
        workspace.environment[variable] = os.environ[variable]
    yield workspace
    shutil.rmtree(workspace.folder)  # 700 MB


def test_real_data_has_the_committed_hashes(with_real_params: Workspace) -> None:
    done = subprocess.run(
        ["dvc", "repro", "preprocess"],
        cwd=with_real_params.folder,
        env=with_real_params.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if "no source gave CIFAR-10" in done.stderr + done.stdout:
        pytest.skip("no source of CIFAR-10 can be reached from here")
    assert done.returncode == 0, done.stderr
    computed = with_real_params.read("dvc.lock")
    committed = (ROOT / "dvc.lock").read_bytes()
    for stage in ("download", "preprocess"):
        assert outs(computed, stage) == outs(committed, stage)
