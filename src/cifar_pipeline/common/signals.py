"""Ctrl-C, and the signals by which systems end a command, end it within two seconds with one line.

Imports the standard library only: it has to load before anything else does.
"""

from __future__ import annotations  # an old Python has to load this, to be told that it is old

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

# Ctrl-C; `kill`, batch systems and containers; a terminal that goes away; Ctrl-\, whose core dump
# of gigabytes nobody needs; what batch systems send before they kill, as time is over. One that is
# ignored from the start, as by `nohup`, stays ignored.
HANDLED = (
    *(signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT),
    *(signal.SIGUSR1, signal.SIGUSR2, signal.SIGXCPU),
)
_GRACE_SECONDS = 1.0
_PRINTING_SECONDS = 0.25
_ending = threading.RLock()  # held by the thread that ends the process
_begun: list[int] = []  # the signal that ends it
_hints: list[str] = []  # of the blocks of ends_in_time that run
try:
    _terminal = os.dup(2)  # descriptor 2 itself is elsewhere while TensorFlow starts
except OSError:  # started without a standard error
    _terminal = os.open(os.devnull, os.O_WRONLY)


class Interrupted(KeyboardInterrupt):
    """A signal has come that ends the command.

    Args:
        number: of the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def end(again: str, number: int = signal.SIGINT) -> None:
    """Print a line to standard error and end the process, without waiting for its threads.

    The exit status is the one that shells give a command that the signal `number` ended. The line
    is "interrupted: ", with the name of the signal where it is not Ctrl-C's, and `again`.
    """
    while not _ending.acquire(blocking=False):
        time.sleep(1)  # another thread is at it; to return would let this one end in its own way
    if _begun:
        return  # one more signal, in the middle of the lines below
    _begun.append(number)
    by = "" if number == signal.SIGINT else f" by {signal.Signals(number).name}"
    line = f"interrupted{by}: {again}\n".encode(errors="backslashreplace")
    _at_most_briefly(lambda: sys.stdout.flush())
    _at_most_briefly(lambda: os.write(_terminal, line))
    os._exit(128 + number)


def _at_most_briefly(write: Callable[[], Any]) -> None:
    """Call `write`, which may fail, or wait for a reader that does not read."""

    def attempt() -> None:
        # A full disk, a terminal that is gone; or the signal came while this was being flushed.
        with suppress(Exception):
            write()

    thread = threading.Thread(target=attempt, daemon=True)
    try:
        thread.start()
    except RuntimeError:  # no more threads
        attempt()
    else:
        thread.join(_PRINTING_SECONDS)


def _handle(handler: Callable[[int, Any], Any]) -> None:
    """Call `handler` for the signals that the process was not started to ignore."""
    for each in HANDLED:
        if signal.getsignal(each) != signal.SIG_IGN:
            signal.signal(each, handler)


def _interrupt(number: int, _: Any) -> None:
    raise Interrupted(number)


def end_at_once(again: str) -> None:
    """From now on a signal ends the process with a line: nothing needs cleaning up yet."""
    _handle(lambda number, _: end(again, number))


@contextmanager
def ends_in_time(again: str) -> Iterator[None]:
    """Let a signal raise Interrupted in the block, and end the process if that takes too long.

    Python raises exceptions of signals between two of its instructions; a call into TensorFlow, or
    a thread that is waited for, can hold that back for long.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    reader, writer = os.pipe()
    os.set_blocking(writer, False)

    def watch() -> None:
        # Each signal arrives as a byte at once; the closed pipe ends the thread.
        while True:
            byte = os.read(reader, 1)
            if not byte:
                os.close(reader)
                return
            if byte[0] in HANDLED:
                if byte[0] != signal.SIGQUIT:  # for those who do not want to wait
                    time.sleep(_GRACE_SECONDS)
                end(again, byte[0])

    _handle(_interrupt)  # not end_at_once any more
    descriptor = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    threading.Thread(target=watch, daemon=True).start()
    _hints.append(again)
    try:
        yield
    finally:
        _hints.pop()
        # While Python winds up, too, a signal is that line.
        end_at_once(again)
        signal.set_wakeup_fd(descriptor)
        os.close(writer)


@contextmanager
def ends_without_unwinding() -> Iterator[None]:
    """Let a signal end the process in the block where ends_in_time would raise Interrupted.

    For blocks in which C++ calls Python that calls C++, as Keras on TensorFlow does: an exception
    that comes from nowhere there can corrupt memory, and the process crashes. What the block leaves
    must be fit to be found by the next run, as after a loss of power.
    """
    if not _hints or threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {each: signal.getsignal(each) for each in HANDLED}
    end_at_once(_hints[-1])
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
