"""Error lines, exit codes, and what a failing stage says."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from cifar_pipeline.common.console import command_app
from cifar_pipeline.common.errors import ParamsError, PipelineError
from cifar_pipeline.common.sigint import _GRACE_SECONDS
from closure import ROOT


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (PipelineError("no room"), 1),
        (ParamsError("no such key"), 2),
    ],
)
@pytest.mark.parametrize("under_dvc", [True, False])
def test_an_error_is_one_line(
    error: Exception, code: int, under_dvc: bool, monkeypatch: pytest.MonkeyPatch
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


COMMANDS = {
    "that sleeps": "time.sleep(60)",
    "that swallows Ctrl-C": """
    while True:
        try:
            time.sleep(60)
        except KeyboardInterrupt:
            pass""",
    "that waits for a thread": """
    threading.Thread(target=time.sleep, args=(60,)).start()
    time.sleep(60)""",
    "that is at its end": "threading.Thread(target=time.sleep, args=(60,)).start()",
    "that has moved its standard error": """
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    while True:
        try:
            time.sleep(60)
        except KeyboardInterrupt:
            pass""",
}
PROGRAM = """
import os, threading, time
from cifar_pipeline.common.console import command_app
def work():
    print("working", flush=True)
    {body}
command_app(work, again="call it again")()
"""


@pytest.mark.parametrize("body", COMMANDS.values(), ids=COMMANDS)
def test_ctrl_c_ends_a_command_with_one_line(body: str) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(body=body)],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert process.stdout
    assert process.stdout.readline() == "working\n"
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)  # far less than the command's minute
    assert _GRACE_SECONDS < 2
    assert process.returncode == 130
    assert errors == "interrupted: call it again\n"


def test_a_command_started_in_the_background_ignores_ctrl_c() -> None:
    program = PROGRAM.format(body="os.kill(os.getpid(), signal.SIGINT); print('done')")
    done = subprocess.run(
        [sys.executable, "-c", "import signal\n" + program],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
    )
    assert done.stdout == "working\ndone\n"


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
