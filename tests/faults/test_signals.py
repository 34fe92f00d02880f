"""Ctrl-C, and other signals that end a command, end it with one line, whatever it does."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from broken_streams import WITHOUT_TENSORFLOW, WRITING, lay_out_project, run
from cifar_pipeline.common.signals import _GRACE_SECONDS, HANDLED
from closure import ROOT

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
    "that would not survive to be unwound": """
    with ends_without_unwinding():
        try:
            time.sleep(60)
        finally:
            os.write(2, b"unwound")""",
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
from cifar_pipeline.common.console import command_app, run_program
from cifar_pipeline.common.start import start_program
from cifar_pipeline.common.signals import ends_without_unwinding
def work():
    print("working", flush=True)
    {body}
start_program("call it again")
run_program(command_app(work, again="call it again"))
"""


def started(
    body: str, handler: signal.Handlers = signal.SIG_DFL, stdout: int = subprocess.PIPE
) -> subprocess.Popen[str]:
    """Start a program with `body`; it treats all signals by `handler` when it starts."""

    def set_handlers() -> None:
        for number in HANDLED:
            signal.signal(number, handler)

    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(body=body)],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=set_handlers,
    )
    if process.stdout:
        assert process.stdout.readline() == "working\n"
    return process


def end_of(process: subprocess.Popen[str], number: signal.Signals) -> tuple[int, str]:
    """Send a signal; return the exit code and the lines on standard error."""
    process.send_signal(number)
    _, errors = process.communicate(timeout=30)  # far less than the program's minute
    return process.returncode, errors


@pytest.mark.fault("Ctrl-C, whatever a command is doing", "one line, and exit code 130")
@pytest.mark.parametrize("body", COMMANDS.values(), ids=COMMANDS)
def test_ctrl_c_ends_a_command_with_one_line(body: str) -> None:
    assert end_of(started(body), signal.SIGINT) == (130, "interrupted: call it again\n")
    assert _GRACE_SECONDS < 2


@pytest.mark.fault(
    "SIGTERM, SIGHUP or SIGQUIT; SIGUSR1, SIGUSR2 or SIGXCPU, as of batch systems",
    "one line, exit code 128 and the signal's number, no core dump; the same command goes on",
)
@pytest.mark.parametrize(
    "number",
    [signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGXCPU],
)
@pytest.mark.parametrize("name", ["that sleeps", "that would not survive to be unwound"])
def test_a_signal_ends_a_command_with_one_line(number: signal.Signals, name: str) -> None:
    line = f"interrupted by {number.name}: call it again\n"
    assert end_of(started(COMMANDS[name]), number) == (128 + number, line)


@pytest.mark.fault(
    "a signal that the command was started to ignore (`nohup`, `&` in a script), or SIGPIPE",
    "the command goes on",
)
def test_ignored_signals_and_a_broken_pipe_do_not_end_a_command() -> None:
    body = (
        "for number in (1, 2, 3, 15, 13): os.kill(os.getpid(), number)\n"
        "    print('done', flush=True); time.sleep(60)"
    )
    process = started(body, signal.SIG_IGN)
    assert process.stdout
    assert process.stdout.readline() == "done\n"
    process.kill()
    assert process.communicate()[1] == ""


@pytest.mark.fault(
    "Ctrl-C while the reader of standard output reads nothing", "one line, and exit code 130"
)
def test_a_reader_that_reads_nothing_holds_nothing_up(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    begun = tmp_path / "begun"
    body = f"open({str(begun)!r}, 'w').close()\n    while True: print('a line ' * 1000)"
    process = started(body, stdout=writer)
    os.close(writer)
    while not begun.exists():
        time.sleep(0.01)
    time.sleep(0.2)  # the pipe is full then, or is becoming so
    assert end_of(process, signal.SIGINT) == (130, "interrupted: call it again\n")
    os.close(reader)


@pytest.mark.slow
@pytest.mark.fault(
    "SIGTERM, SIGHUP or SIGQUIT in the middle of a training",
    "one line; the same command goes on after the last saved epoch",
)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_a_training_goes_on_after_a_signal(tmp_path: Path, number: signal.Signals) -> None:
    lay_out_project(tmp_path, epochs=40)
    for name in WITHOUT_TENSORFLOW:
        assert run(tmp_path, WRITING[name]).returncode == 0
    process = subprocess.Popen(
        [sys.executable, *WRITING["train"]],
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(number, signal.SIG_DFL),
    )
    while not (tmp_path / "models/training.backup").exists():
        assert process.poll() is None
        time.sleep(0.01)
    hint = "the same command goes on after the last saved epoch"
    assert end_of(process, number) == (
        128 + number,
        f"interrupted by {number.name}: {hint}\n",
    )
    done = run(tmp_path, WRITING["train"])
    assert done.returncode == 0
    assert "going on after epoch" in done.stdout
