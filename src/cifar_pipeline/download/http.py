"""Fetch a file over HTTP: continue a broken transfer, give up a slow one."""

import time
from collections.abc import Callable, Generator
from pathlib import Path

import requests
import urllib3.exceptions

from cifar_pipeline.download.errors import SourceError
from cifar_pipeline.download.http_answer import Accepted, DroppedError, accept, is_complete
from cifar_pipeline.download.in_time import in_time
from cifar_pipeline.download.progress import ProgressBar
from cifar_pipeline.download.rate_limit import RateMonitor
from cifar_pipeline.download.reasons import FAILURES, reason, trusted_certificates
from cifar_pipeline.download.validator import forget_validator, note_validator, validator_of

CONNECT_SECONDS = 10.0
# A host may have several addresses, and each is tried.
ANSWER_SECONDS = 3 * CONNECT_SECONDS
RETRY_SECONDS = 1.0
# The source is given up after so many broken connections in a row, none of which brought
# WORTHWHILE_BYTES.
FRUITLESS_ATTEMPTS = 4
WORTHWHILE_BYTES = 1_000_000
CHUNK_BYTES = 1 << 18
REDIRECTS = 10
# More than twice the largest archive of CIFAR-10, also without compression.
ARCHIVE_BYTES = 500_000_000

# The answer first, then its body, then None; waits for so many seconds.
_Take = Callable[[float], requests.Response | bytes | None]


def fetch(address: str, part: Path, monitor: RateMonitor, bar: ProgressBar) -> bool:
    """Fetch the file at `address` into `part`, after the bytes that `part` holds already.

    Returns:
        Whether all bytes came in one piece. Between two pieces the server may have changed the
        file without saying so.

    Raises:
        SourceError: the transfer failed or is too slow. `part` keeps the bytes that came.
        OSError: `part` cannot be written.
    """
    best = _size(part)
    fruitless = 0
    while True:
        try:
            return _attempt(address, part, monitor, bar)
        except DroppedError as dropped:
            fruitless += 1
            if _size(part) >= best + WORTHWHILE_BYTES:
                best, fruitless = _size(part), 0
            if fruitless >= FRUITLESS_ATTEMPTS:
                raise SourceError(dropped.after(fruitless)) from None
            pause(RETRY_SECONDS if dropped.pause is None else dropped.pause)


def pause(seconds: float) -> None:
    """Wait before another attempt."""
    time.sleep(seconds)


def _attempt(address: str, part: Path, monitor: RateMonitor, bar: ProgressBar) -> bool:
    """Make one request; return whether it brought the whole file."""
    offset, validator = _size(part), validator_of(part)
    with in_time(_stream(address, _headers(offset, validator), monitor)) as take:
        answer = _in_time(take, address, monitor, ANSWER_SECONDS)
        assert isinstance(answer, requests.Response)
        if is_complete(answer, offset):
            forget_validator(part)
            return False
        try:
            accepted = accept(answer, offset, validator)
        except DroppedError as dropped:
            if dropped.spoilt:
                part.unlink()
            raise
        if not accepted.start:
            note_validator(part, answer)
        bar.start(*accepted)
        _receive(take, accepted, part, address, monitor, bar)
    forget_validator(part)
    return accepted.start == 0


def _receive(
    take: _Take,
    accepted: Accepted,
    part: Path,
    address: str,
    monitor: RateMonitor,
    bar: ProgressBar,
) -> None:
    """Write the body of an answer into `part`."""
    size, total = accepted
    with part.open("ab" if size else "wb") as file:
        while isinstance(chunk := _in_time(take, address, monitor), bytes):
            size += len(chunk)
            if max(size, total or 0) > ARCHIVE_BYTES:
                part.unlink()
                raise SourceError(
                    f"{max(size, total or 0):,} bytes or more, at most {ARCHIVE_BYTES:,} were "
                    "expected"
                )
            file.write(chunk)
            monitor.add(len(chunk))
            bar.update(size)
    if total is not None and size != total:
        raise DroppedError(f"{size:,} of {total:,} bytes arrived")


def _headers(offset: int, validator: str | None) -> dict[str, str]:
    """Return the headers of a request for the file from byte `offset` on."""
    headers = {"Accept-Encoding": "identity"}
    if offset:
        headers["Range"] = f"bytes={offset}-"
        if validator:
            # If the file is another by now, the server sends it from its beginning.
            headers["If-Range"] = validator
    return headers


def _stream(
    address: str, headers: dict[str, str], monitor: RateMonitor
) -> Generator[requests.Response | bytes, None, None]:
    """Yield the answer to a request, then its body as it arrives.

    `read1` returns what one read of the socket gave. A read of a fixed size would wait for a
    slow server to fill it, and `monitor` would see no bytes meanwhile.
    """
    timeout = (min(CONNECT_SECONDS, monitor.window), monitor.window)
    with requests.Session() as session:
        session.max_redirects = REDIRECTS
        session.verify = trusted_certificates() or True
        with session.get(address, headers=headers, stream=True, timeout=timeout) as answer:
            yield answer
            try:
                while chunk := answer.raw.read1(CHUNK_BYTES):
                    yield chunk
            except urllib3.exceptions.ReadTimeoutError:
                raise monitor.stalled() from None
            except urllib3.exceptions.IncompleteRead as error:
                raise DroppedError(f"{error.expected or 'some'} bytes are missing") from None
            except FAILURES as error:
                raise DroppedError(reason(error, address)) from None


def _in_time(
    take: _Take, address: str, monitor: RateMonitor, more: float = 0
) -> requests.Response | bytes | None:
    """Return what comes next from a server, None at the end.

    Args:
        take: what `in_time` gives.
        address: where the request went to.
        monitor: its window is how long a server may be silent.
        more: seconds that it may be silent beyond that.

    Raises:
        SourceError: nothing comes.
        DroppedError: the server has sent something before, so that it deserves another request; a
            dead one does not.
    """
    try:
        return take(monitor.window + more)
    except TimeoutError:
        raise (SourceError("no answer in time") if more else monitor.stalled()) from None
    except FAILURES as error:
        if monitor.arrived and isinstance(error, requests.ConnectionError):
            raise DroppedError(reason(error, address)) from None
        raise SourceError(reason(error, address)) from None


def _size(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0
