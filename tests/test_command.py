"""Error lines, exit codes, and what a failing stage says."""

import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from cifar_pipeline.command import command_app
from cifar_pipeline.errors import ParamsError, PipelineError
from closure import ROOT


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (PipelineError("no room"), 1),
        (ParamsError("no such key"), 2),
        (KeyboardInterrupt(), 130),
    ],
)
@pytest.mark.parametrize("under_dvc", [True, False])
def test_an_error_is_one_line(
    error: BaseException, code: int, under_dvc: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise error

    monkeypatch.delenv("DVC_STAGE", raising=False)
    if under_dvc:
        monkeypatch.setenv("DVC_STAGE", "train")
    app: typer.Typer = command_app(fail)
    result = CliRunner().invoke(app, [])
    assert result.exit_code == code
    assert len(result.stderr.strip().splitlines()) == 1
    assert str(error) in result.stderr
    # DVC has removed the stage's outputs by then; outside it nothing was.
    assert ("dvc checkout" in result.stderr) is under_dvc
    assert ("git restore reports" in result.stderr) is under_dvc


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
