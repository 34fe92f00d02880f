"""Ctrl-C ends a command within two seconds, whatever it is doing, and always with one line.

Imports the standard library only: it has to load before anything else does.
"""

from __future__ import annotations  # an old Python has to load this, to be told that it is old

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

EXIT_CODE = 130  # what shells give a command that SIGINT ended
_GRACE_SECONDS = 1.0
_ending = threading.Lock()
_messages: list[str] = []  # of the blocks of ends_in_time that run
try:
    _terminal = os.dup(2)  # descriptor 2 itself is elsewhere while TensorFlow starts
except OSError:  # started without a standard error
    _terminal = os.open(os.devnull, os.O_WRONLY)


def end(message: str) -> None:
    """Print `message` to standard error and end the process, without waiting for its threads."""
    if _ending.acquire(blocking=False):
        with suppress(Exception):  # a full disk; or the signal came while this was being flushed
            sys.stdout.flush()
        os.write(_terminal, (message + "\n").encode())
        os._exit(EXIT_CODE)


def _is_ignored() -> bool:
    """Say whether the process was started with SIGINT ignored, as `nohup` or a script's `&` do."""
    return signal.getsignal(signal.SIGINT) == signal.SIG_IGN


def end_at_once(message: str) -> None:
    """From now on Ctrl-C prints `message` and ends the process: nothing needs cleaning up yet."""
    if not _is_ignored():
        signal.signal(signal.SIGINT, lambda *_: end(message))


@contextmanager
def ends_in_time(message: str) -> Iterator[None]:
    """Let Ctrl-C raise KeyboardInterrupt in the block, and end the process if that takes too long.

    Python raises KeyboardInterrupt between two of its instructions; a call into TensorFlow, or a
    thread that is waited for, can hold that back for long.
    """
    if _is_ignored() or threading.current_thread() is not threading.main_thread():
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
            if byte[0] == signal.SIGINT:
                time.sleep(_GRACE_SECONDS)
                end(message)

    signal.signal(signal.SIGINT, signal.default_int_handler)  # not end_at_once any more
    descriptor = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    threading.Thread(target=watch, daemon=True).start()
    _messages.append(message)
    try:
        yield
    finally:
        _messages.pop()
        # While Python winds up, too, Ctrl-C is that line.
        end_at_once(message)
        signal.set_wakeup_fd(descriptor)
        os.close(writer)


@contextmanager
def ends_without_unwinding() -> Iterator[None]:
    """Let Ctrl-C end the process in the block where ends_in_time would raise KeyboardInterrupt.

    For blocks in which C++ calls Python that calls C++, as Keras on TensorFlow does: an exception
    that comes from nowhere there can corrupt memory, and the process crashes. What the block leaves
    must be fit to be found by the next run, as after a loss of power.
    """
    before = signal.getsignal(signal.SIGINT)
    if not _messages or before is not signal.default_int_handler:
        yield
        return
    end_at_once(_messages[-1])
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
