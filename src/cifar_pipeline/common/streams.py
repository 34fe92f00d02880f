"""Standard streams that are closed, full or gone: no run ends for a line that cannot be printed.

Imports the standard library only: it has to load before anything else does.
"""

from __future__ import annotations  # an old Python has to load this, to be told that it is old

import errno
import io
import os
import select
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO

from cifar_pipeline.common.errors import PipelineError

STDIN, STDOUT, STDERR = 0, 1, 2
_ADVICE = {
    errno.EPIPE: "the program that reads them has ended",
    errno.EBADF: "standard output is closed: give it a terminal, a file or a program",
    errno.EIO: "the terminal has gone away, or the disk is damaged",
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT, errno.EFBIG), "write them to a place with room"),
}


def occupy_closed_descriptors() -> None:
    """Open the null device as standard input, output and error where they are closed."""
    for number in (STDIN, STDOUT, STDERR):
        try:
            os.fstat(number)
        except OSError:
            # The lowest free number is this one. Programs that this one starts have it too.
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)


class StandardStream(io.FileIO):
    """Standard output or error as a file that a failing write does not end the program for.

    Args:
        number: the file descriptor.
        closed_at_start: whether the process was started without this stream.

    Attributes:
        is_result: whether the command's result is what is written here: a write that fails then
            raises PipelineError, once.
    """

    def __init__(self, number: int, closed_at_start: bool) -> None:
        super().__init__(number, "w", closefd=False)
        self.is_result = False
        self._closed_at_start = closed_at_start
        self._is_lost = False

    def write(self, data: Any, /) -> int:
        """Write `data`, or drop it where that fails.

        Raises:
            PipelineError: the data are a result, and this is the first write that fails.
        """
        if self._is_lost:
            return len(data)
        try:
            if self._closed_at_start:
                raise OSError(errno.EBADF, os.strerror(errno.EBADF))
            return self._written(data)
        except OSError as error:
            if self.is_result:
                self._is_lost = True
                raise _lost(error) from None
            return len(data)

    def _written(self, data: Any) -> int:
        """Write; wait where the descriptor does not, as another program may have set it."""
        while (number := super().write(data)) is None:
            select.select([], [self.fileno()], [])
        return number

    def require(self) -> None:
        """Find out whether the process was started with this stream, before a result is computed.

        Raises:
            PipelineError: it was not, and what is written here is the result.
        """
        if self._closed_at_start:
            self.write(b"")


def _lost(error: OSError) -> PipelineError:
    advice = _ADVICE.get(error.errno or 0, "send them elsewhere")
    return PipelineError(
        f"the results cannot be written to standard output ({error.strerror}); {advice}"
    )


def standard_output() -> StandardStream | None:
    """Return this process's standard output where `open_streams` has made it."""
    stream = getattr(getattr(sys.stdout, "buffer", None), "raw", None)
    return stream if isinstance(stream, StandardStream) else None


def open_streams() -> None:
    r"""Make standard output and error streams that take whatever a program prints.

    What cannot be written is dropped. Until `guarded` runs a command, standard output is an
    exception: help that cannot be printed is an error. A character that the encoding lacks is
    written as an escape, such as \xe9.
    """
    if standard_output():
        return
    if sys.stdin is None:
        sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: PTH123, SIM115 - it stays open
    sys.stdout = _opened(STDOUT, sys.stdout)
    sys.stderr = _opened(STDERR, sys.stderr)
    stream = standard_output()
    assert stream
    stream.is_result = True


def drop_what_cannot_be_printed() -> None:
    """Make standard output and error streams that take whatever the whole program prints."""
    open_streams()
    stream = standard_output()
    assert stream
    stream.is_result = False


def _opened(number: int, before: TextIO | None) -> io.TextIOWrapper:
    """Return a stream like `before`, which is None where the process was started without it."""
    if before is not None:
        with suppress(OSError):
            before.flush()
    # Someone else may have opened a file under the number of a closed stream.
    raw = StandardStream(
        os.open(os.devnull, os.O_WRONLY) if before is None else number, before is None
    )
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=getattr(before, "encoding", "utf-8"),
        errors="backslashreplace",
        newline="\n",
        line_buffering=getattr(before, "line_buffering", True),
        write_through=getattr(before, "write_through", False),
    )


@contextmanager
def standard_error_into(file: int) -> Iterator[int]:
    """Send what is written to standard error, from C++ too, into another file in the block.

    Args:
        file: its descriptor.

    Yields:
        The descriptor of what standard error is outside of the block.
    """
    _flush_errors()
    terminal = os.dup(STDERR)
    try:
        os.dup2(file, STDERR)
        yield terminal
    finally:
        _flush_errors()
        os.dup2(terminal, STDERR)
        os.close(terminal)


@contextmanager
def standard_error_dropped() -> Iterator[None]:
    """Drop what is written to standard error, from C++ too, in the block."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        with standard_error_into(nowhere):
            yield
    finally:
        os.close(nowhere)


def _flush_errors() -> None:
    with suppress(AttributeError, OSError, ValueError):  # there is none, or it is full or closed
        sys.stderr.flush()
