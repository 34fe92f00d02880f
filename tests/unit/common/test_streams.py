"""Standard streams that cannot be written to."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from cifar_pipeline.common.errors import PipelineError
from cifar_pipeline.common.streams import StandardStream, standard_error_dropped


@pytest.fixture
def full() -> Iterator[int]:
    """The descriptor of a file that takes nothing."""
    number = os.open("/dev/full", os.O_WRONLY)
    yield number
    os.close(number)


def test_what_is_no_result_is_dropped(full: int) -> None:
    stream = StandardStream(full, closed_at_start=False)
    assert [stream.write(b"line\n"), stream.write(b"line\n")] == [5, 5]


def test_a_result_that_is_lost_is_an_error_once(full: int) -> None:
    stream = StandardStream(full, closed_at_start=False)
    stream.is_result = True
    with pytest.raises(PipelineError, match="No space left on device"):
        stream.write(b"line\n")
    assert stream.write(b"line\n") == 5  # Python flushes what is left when it ends


def test_a_result_needs_a_stream(tmp_path: Path) -> None:
    with (tmp_path / "in place of it").open("wb") as file:
        stream = StandardStream(file.fileno(), closed_at_start=True)
        stream.require()
        stream.is_result = True
        with pytest.raises(PipelineError, match="standard output is closed"):
            stream.require()
        assert stream.write(b"not for this file") > 0
    assert (tmp_path / "in place of it").read_bytes() == b""


def test_a_pipe_that_does_not_wait_is_waited_for() -> None:
    """Another program may have made it so: Python's own streams raise BlockingIOError."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    got = bytearray()

    def read() -> None:
        while part := os.read(reader, 4096):
            got.extend(part)

    thread = threading.Thread(target=read)
    stream = StandardStream(writer, closed_at_start=False)
    content = bytes(range(256)) * 4096  # more than a pipe holds
    written = stream.write(content)
    thread.start()
    while written < len(content):
        written += stream.write(content[written:])
    os.close(writer)
    thread.join()
    os.close(reader)
    assert got == content


def test_dropped_errors_come_back(capfd: pytest.CaptureFixture[str]) -> None:
    with standard_error_dropped():
        os.write(2, b"in the block\n")
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "after\n"
