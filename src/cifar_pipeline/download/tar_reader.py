"""Read members of a tar archive into memory: bounded, whatever the archive claims.

Nothing is extracted, so that no name, link or device in it reaches the disk.
"""

import bz2
import gzip
import io
import lzma
import struct
import tarfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any, cast

from cifar_pipeline.common.system_errors import advice_for, is_of_system, reason_of
from cifar_pipeline.download.errors import ArchiveError, UnreadableError

# Twice the largest real ones: a bomb is refused before it fills the memory.
MEMBER_BYTES = 64_000_000
UNPACKED_BYTES = 400_000_000
MEMBERS = 10_000
_UNPACKERS: dict[bytes, Callable[..., Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ": lzma.open,
    b"]\x00": lzma.open,
}
# tarfile and the unpackers raise all of these for damaged archives.
_DAMAGE = (
    *(tarfile.TarError, zlib.error, lzma.LZMAError, struct.error, EOFError, OSError),
    *(ValueError, ArithmeticError, LookupError, RecursionError),
)


class _Bounded(io.RawIOBase):
    """The unpacked stream; it ends in an error at `UNPACKED_BYTES`."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def _require(self, position: int) -> None:
        if position > UNPACKED_BYTES:
            raise ArchiveError(f"the archive unpacks to more than {UNPACKED_BYTES:,} bytes")

    def read(self, size: int = -1) -> bytes:
        """Return the next `size` bytes, or what is left of them."""
        self._require(self._stream.tell() + max(size, 0))
        return self._stream.read(size)

    def seek(self, position: int, whence: int = 0) -> int:
        """Go to a position; `tarfile` counts it from the start."""
        self._require(position)
        return self._stream.seek(position, whence)

    def tell(self) -> int:
        """Return the position."""
        return self._stream.tell()


@contextmanager
def _unpacked(path: Path) -> Iterator[tarfile.TarFile]:
    with ExitStack() as stack:
        stream: IO[bytes] = stack.enter_context(path.open("rb"))
        for _ in range(2):  # a server may have packed the archive once more
            start = stream.read(6)
            stream.seek(0)
            for magic, unpack in _UNPACKERS.items():
                if start.startswith(magic):
                    stream = stack.enter_context(unpack(stream))
                    break
        bounded = cast("IO[bytes]", _Bounded(stream))
        yield stack.enter_context(tarfile.open(fileobj=bounded, mode="r:"))


def members_of(path: Path, known: frozenset[str]) -> dict[str, bytes]:
    """Return the contents of those regular members of the archive `path` that are `known`.

    Of several members of one name the last one counts, as if it had been unpacked.

    Raises:
        ArchiveError: it is no tar archive, compressed or not, or damaged, or too large.
    """
    members = {}
    number = 0
    try:
        with _unpacked(path) as archive:
            for member in archive:
                number += 1
                if number > MEMBERS:
                    raise ArchiveError(f"the archive has more than {MEMBERS:,} members")
                name = member.name.removeprefix("./")
                if name not in known or not member.isreg():
                    continue
                if member.size > MEMBER_BYTES:
                    raise ArchiveError(f"{name} is too large: {member.size:,} bytes")
                content = archive.extractfile(member)
                if content is not None:
                    members[name] = content.read()
    except _DAMAGE as error:
        if is_of_system(error):
            raise _unreadable(error) from None
        raise ArchiveError(_description(path)) from None
    return members


def _description(path: Path) -> str:
    try:
        with path.open("rb") as file:
            start = file.read(16)
        return f"no whole tar archive ({path.stat().st_size:,} bytes that begin with {start!r})"
    except OSError as error:
        raise _unreadable(error) from None


def _unreadable(error: Exception) -> UnreadableError:
    return UnreadableError(f"cannot be read ({reason_of(error)}); {advice_for(error)}")
