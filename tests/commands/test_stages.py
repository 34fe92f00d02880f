"""The stages as programs: what they refuse before they begin."""

import os
import subprocess
from pathlib import Path

import pytest

from closure import ROOT
from params_files import written
from workspace import search_path


def run(*arguments: str | Path, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["python", *arguments],
        cwd=folder,
        env={**os.environ, "PATH": search_path()},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("option", ["--reports", "--models"])
def test_train_finds_an_unwritable_folder_before_it_trains(tmp_path: Path, option: str) -> None:
    (tmp_path / "file").write_text("in the way")
    params = ROOT / "params.yaml"
    done = run(
        ROOT / "stages/train.py", "--params", params, option, tmp_path / "file", folder=tmp_path
    )
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert "cannot be written" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert (tmp_path / "file").read_text() == "in the way"


@pytest.mark.parametrize("stage", ["download", "preprocess", "train", "evaluate"])
def test_a_stage_refuses_its_section_before_it_writes(tmp_path: Path, stage: str) -> None:
    path = written(tmp_path, {f"{stage}.nonsense": 1})
    done = run(ROOT / "stages" / f"{stage}.py", "--params", path, folder=tmp_path)
    assert done.returncode == 2
    assert f"{stage}.nonsense is not a known parameter" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert [entry.name for entry in tmp_path.iterdir()] == ["params.yaml"]
