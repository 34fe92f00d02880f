"""The stages as programs: what they refuse before they begin."""

import subprocess
import sys
from pathlib import Path

import pytest

from closure import ROOT
from params_files import written


@pytest.mark.parametrize("option", ["--reports", "--models"])
def test_train_finds_an_unwritable_folder_before_it_trains(tmp_path: Path, option: str) -> None:
    (tmp_path / "file").write_text("in the way")
    done = subprocess.run(
        [
            *(sys.executable, ROOT / "stages/train.py"),
            *("--params", ROOT / "params.yaml", option, tmp_path / "file"),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert "cannot be written" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert (tmp_path / "file").read_text() == "in the way"


@pytest.mark.parametrize("stage", ["download", "preprocess", "train", "evaluate"])
def test_a_stage_refuses_its_section_before_it_writes(tmp_path: Path, stage: str) -> None:
    path = written(tmp_path, {f"{stage}.nonsense": 1})
    done = subprocess.run(
        [sys.executable, ROOT / "stages" / f"{stage}.py", "--params", path],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert f"{stage}.nonsense is not a known parameter" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert [entry.name for entry in tmp_path.iterdir()] == ["params.yaml"]
