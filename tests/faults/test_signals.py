"""Ctrl-C ends a command with one line, whatever it does."""

import os
import signal
import subprocess
import sys

import pytest

from cifar_pipeline.common.signals import _GRACE_SECONDS
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
from cifar_pipeline.common.console import command_app
from cifar_pipeline.common.signals import ends_without_unwinding
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
