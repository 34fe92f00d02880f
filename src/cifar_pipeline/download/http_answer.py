"""What the head of an HTTP answer says: does an archive follow, and from which byte on?"""

import re
import time
from email.utils import parsedate_to_datetime
from typing import NamedTuple

import requests

from cifar_pipeline.download.errors import SourceError
from cifar_pipeline.download.reasons import of_status

# A server may ask for a pause of so many seconds; the next source is not so slow.
LONGEST_PAUSE = 10.0
# A server has these for a while only.
_BUSY = (408, 425, 429, 500, 502, 503, 504)


class DroppedError(Exception):
    """The transfer broke off; another request may continue it.

    Attributes:
        spoilt: the bytes that came before are of no use.
        pause: seconds until the next request; None where the server has no wish.
    """

    def __init__(self, message: str, spoilt: bool = False) -> None:
        super().__init__(message)
        self.spoilt = spoilt
        self.pause: float | None = None

    def after(self, attempts: int) -> str:
        """Return why the source is given up after so many attempts."""
        return f"broke off {attempts} times: {self}"


class _BusyError(DroppedError):
    """The server answers with an error that may pass."""

    def __init__(self, status: str, pause: float | None) -> None:
        super().__init__(status)
        self.pause = pause

    def after(self, attempts: int) -> str:
        return f"{self}, {attempts} times"


class Accepted(NamedTuple):
    """An answer with a body.

    Attributes:
        start: the byte of the file that it begins with.
        total: the length of the whole file, None where the server does not say.
    """

    start: int
    total: int | None


def is_complete(answer: requests.Response, offset: int) -> bool:
    """Say whether a request from byte `offset` on has met the end of the file."""
    ends_there = answer.headers.get("Content-Range") == f"bytes */{offset}"
    return bool(offset) and answer.status_code == 416 and ends_there


def accept(answer: requests.Response, offset: int, validator: str | None) -> Accepted:
    """Return what follows an answer to a request from byte `offset` on.

    Args:
        answer: its head.
        offset: 0 where the whole file was asked for.
        validator: of the file whose first `offset` bytes are here, see `validator_of`.

    Raises:
        SourceError: nothing that another request would change.
        DroppedError: another request may bring the archive.
    """
    if answer.status_code == 206 and offset:
        return _accept_range(answer, offset, validator)
    if answer.status_code == 416 and offset:
        raise DroppedError(f"the server cannot go on at byte {offset}", spoilt=True)
    if answer.status_code in _BUSY:
        wanted = _seconds(answer.headers.get("Retry-After", ""))
        if wanted is not None and wanted > LONGEST_PAUSE:
            raise SourceError(f"{of_status(answer)}, asks to be left alone for {wanted:,.0f} s")
        raise _BusyError(of_status(answer), wanted)
    if answer.status_code != 200:
        raise SourceError(of_status(answer))
    media_type = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if media_type in ("text/html", "application/xhtml+xml"):
        raise SourceError("answers with an HTML page, an archive was expected")
    length = answer.headers.get("Content-Length", "")
    return Accepted(0, int(length) if re.fullmatch(r"[0-9]{1,15}", length) else None)


def _accept_range(answer: requests.Response, offset: int, validator: str | None) -> Accepted:
    content_range = answer.headers.get("Content-Range", "")
    match = re.fullmatch(r"bytes ([0-9]{1,15})-[0-9]{1,15}/([0-9]{1,15}|\*)", content_range)
    if not match or int(match[1]) != offset:
        raise DroppedError(f"asked to go on at byte {offset}, got {content_range!r}", spoilt=True)
    tag = answer.headers.get("ETag")
    if tag and validator and validator.startswith('"') and tag != validator:
        raise DroppedError("the file has changed meanwhile", spoilt=True)
    return Accepted(offset, None if match[2] == "*" else int(match[2]))


def _seconds(retry_after: str) -> float | None:
    """Return the seconds that a server asks for, None where it says nothing that makes sense."""
    if re.fullmatch(r"[0-9]{1,15}", retry_after):
        return float(retry_after)
    try:
        return max(0.0, parsedate_to_datetime(retry_after).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return None
