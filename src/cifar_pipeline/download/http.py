"""Fetch a file over HTTP: continue a broken transfer, give up a slow one."""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import requests
import urllib3.exceptions

from cifar_pipeline.download.errors import SourceError
from cifar_pipeline.download.progress import ProgressBar
from cifar_pipeline.download.rate_limit import RateMonitor

CONNECT_SECONDS = 10.0
RETRY_SECONDS = 1.0
# The source is given up after so many broken connections in a row, none of which brought
# WORTHWHILE_BYTES.
FRUITLESS_ATTEMPTS = 4
WORTHWHILE_BYTES = 1_000_000
CHUNK_BYTES = 1 << 18


class _DroppedError(Exception):
    """The transfer broke off; another request may continue it."""


def fetch(address: str, part: Path, monitor: RateMonitor, bar: ProgressBar) -> None:
    """Fetch the file at `address` into `part`, after the bytes that `part` holds already.

    Raises:
        SourceError: the transfer failed or is too slow. `part` keeps the bytes that came.
        OSError: `part` cannot be written.
    """
    best = _size(part)
    fruitless = 0
    while True:
        try:
            return _attempt(address, part, monitor, bar)
        except _DroppedError as dropped:
            fruitless += 1
            if _size(part) >= best + WORTHWHILE_BYTES:
                best, fruitless = _size(part), 0
            if fruitless >= FRUITLESS_ATTEMPTS:
                raise SourceError(f"broke off {fruitless} times: {dropped}") from None
            time.sleep(RETRY_SECONDS)


def _attempt(address: str, part: Path, monitor: RateMonitor, bar: ProgressBar) -> None:
    offset = _size(part)
    with _answer(address, offset, monitor) as answer:
        media_type = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        content_range = answer.headers.get("Content-Range", "")
        if answer.status_code == 206 and offset:
            match = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", content_range)
            if not match or int(match[1]) != offset:
                part.unlink()
                raise _DroppedError(f"asked to go on at byte {offset}, got {content_range!r}")
            total = None if match[2] == "*" else int(match[2])
        elif answer.status_code == 416 and offset:
            if content_range == f"bytes */{offset}":
                return  # It was complete.
            part.unlink()
            raise _DroppedError(f"the server cannot go on at byte {offset}")
        elif answer.status_code != 200:
            raise SourceError(f"HTTP status {answer.status_code} {answer.reason}".rstrip())
        elif media_type in ("text/html", "application/xhtml+xml"):
            raise SourceError("answers with an HTML page, an archive was expected")
        else:
            offset = 0
            length = answer.headers.get("Content-Length", "")
            total = int(length) if length.isdecimal() else None
        bar.start(offset, total)
        size = offset
        with part.open("ab" if offset else "wb") as file:
            for chunk in _chunks(answer, monitor):
                file.write(chunk)
                size += len(chunk)
                bar.update(size)
    if total is not None and size != total:
        raise _DroppedError(f"{size:,} of {total:,} bytes arrived")


def _answer(address: str, offset: int, monitor: RateMonitor) -> requests.Response:
    """Return the open response to a request for the file at `address` from byte `offset` on."""
    headers = {"Accept-Encoding": "identity"}
    if offset:
        headers["Range"] = f"bytes={offset}-"
    timeout = (min(CONNECT_SECONDS, monitor.window), monitor.window)
    try:
        return requests.get(address, headers=headers, stream=True, timeout=timeout)
    except (requests.RequestException, urllib3.exceptions.HTTPError, UnicodeError) as error:
        # A server that has sent something before deserves another request, a dead one does not.
        if monitor.arrived and isinstance(error, requests.ConnectionError):
            raise _DroppedError(_reason(error)) from None
        raise SourceError(_reason(error)) from None


def _chunks(answer: requests.Response, monitor: RateMonitor) -> Iterator[bytes]:
    """Yield the body as it arrives.

    `read1` returns what one read of the socket gave. A read of a fixed size would wait for a
    slow server to fill it, and `monitor` would see no bytes meanwhile.
    """
    while True:
        try:
            chunk = answer.raw.read1(CHUNK_BYTES)
        except urllib3.exceptions.ReadTimeoutError:
            raise monitor.stalled() from None
        except urllib3.exceptions.IncompleteRead as error:
            raise _DroppedError(f"{error.expected or 'some'} bytes are missing") from None
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise _DroppedError(_reason(error)) from None
        if not chunk:
            return
        monitor.add(len(chunk))
        yield chunk


def _size(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


def _reason(error: BaseException) -> str:
    """Return the cause at the bottom of an error of requests or urllib3, in a few words."""
    if isinstance(error, requests.exceptions.SSLError | urllib3.exceptions.SSLError):
        return "no trusted TLS connection (certificate or protocol)"
    if isinstance(error, requests.ConnectTimeout):
        return "no connection in time"
    if isinstance(error, requests.ReadTimeout):
        return "no answer in time"
    cause: object = error
    while isinstance(cause, BaseException):
        if isinstance(cause, urllib3.exceptions.NameResolutionError):
            return "the host's name cannot be resolved (no network?)"
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror.lower()
        nested = [argument for argument in cause.args if isinstance(argument, BaseException)]
        cause = getattr(cause, "reason", None) or cause.__cause__ or (nested[0] if nested else None)
    return str(error).splitlines()[0] if str(error) else type(error).__name__
