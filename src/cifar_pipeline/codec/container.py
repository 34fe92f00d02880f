"""The file of the codec: many images of any sizes in one file, which is checked before it is used.

It has four parts, in numbers that are little-endian:

- a head: magic, version, SHA-256 of the model's file;
- the payloads of the blocks, one after the other;
- an index: the sources in their order, then the blocks in theirs;
- a foot: length of the index, CRC-32 of head and index.
"""

import os
import struct
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from zlib import crc32

from cifar_pipeline.codec.index import (
    Block,
    ContradictionError,
    Source,
    pack_index,
    parse_index,
)
from cifar_pipeline.common.errors import PipelineError
from cifar_pipeline.common.system_errors import refusal

# As PNG's: a byte that is no ASCII, and line ends that a transfer as text would change.
MAGIC = b"\x89CIFC\r\n\x1a"
VERSION = 1
# In memory an index takes up to forty times its bytes.
INDEX_BYTES = 1 << 24
_HEAD = struct.Struct("<8sB32s")
_FOOT = struct.Struct("<II")
_NO_END = "its end is missing or damaged"


class ContainerError(PipelineError):
    """A file is none that `compress` has written, or damaged. The message is one line."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(
            f"{path}: {reason}; expected a file that `cifar-pipeline compress` has written: fetch "
            "it again, or compress the images again"
        )


@dataclass(frozen=True)
class Container:
    """What a file holds.

    Attributes:
        path: the file.
        digest: SHA-256 of the model's file, 64 hexadecimal digits.
        sources: in their order.
        blocks: likewise; as many images as in the sources, in the same order.
        size: of the file, in bytes.
    """

    path: Path
    digest: str
    sources: tuple[Source, ...]
    blocks: tuple[Block, ...]
    size: int

    @property
    def images(self) -> int:
        """How many images there are."""
        return sum(block.images for block in self.blocks)

    @property
    def pixels(self) -> int:
        """How many pixels all images have."""
        return sum(block.images * block.height * block.width for block in self.blocks)

    @property
    def payload(self) -> int:
        """The bytes of all payloads."""
        return sum(block.payload for block in self.blocks)


class Writer:
    """Writes a file, block by block.

    Args:
        file: open for writing, empty.
        digest: see `Container`.
    """

    def __init__(self, file: BinaryIO, digest: str) -> None:
        self._file = file
        self._head = _HEAD.pack(MAGIC, VERSION, bytes.fromhex(digest))
        self._blocks: list[Block] = []
        file.write(self._head)

    def add(self, payload: bytes, levels: bytes, height: int, width: int) -> None:
        """Append a block; `levels` has a byte for each image."""
        self._blocks.append(Block(height, width, levels, len(payload), crc32(payload)))
        self._file.write(payload)

    def close(self, sources: Iterable[Source]) -> None:
        """Write what stands at the end; without it the file is none.

        Raises:
            PipelineError: there are too many sources and blocks for a file.
        """
        index = pack_index(sources, self._blocks)
        if len(index) > INDEX_BYTES:
            raise PipelineError(
                f"names and sizes take {len(index):,} bytes, and {INDEX_BYTES:,} are the most in a "
                "file; compress the images into several files"
            )
        self._file.write(index + _FOOT.pack(len(index), crc32(self._head + index)))


def read_container(path: Path) -> Container:
    """Return what the file at `path` holds, all of it checked but the payloads.

    What memory it takes does not depend on what the file claims: at most forty times `INDEX_BYTES`.

    Raises:
        ContainerError: the file is foreign or damaged.
        PipelineError: it cannot be read.
    """
    with _reading(path), path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        head = file.read(_HEAD.size)
        if not head.startswith(MAGIC):
            raise ContainerError(path, _foreign(head))
        if size < _HEAD.size + _FOOT.size:
            raise ContainerError(path, _NO_END)
        file.seek(size - _FOOT.size)
        length, crc = _FOOT.unpack(file.read(_FOOT.size))
        if length > min(size - _HEAD.size - _FOOT.size, INDEX_BYTES):
            raise ContainerError(path, _NO_END)
        file.seek(size - _FOOT.size - length)
        content = file.read(length)
    if crc32(head + content) != crc:
        raise ContainerError(path, _NO_END)
    _, version, digest = _HEAD.unpack(head)
    if version != VERSION:
        raise ContainerError(path, f"version {version} of the format, not {VERSION}")
    try:
        sources, blocks = parse_index(content)
    except ContradictionError as error:
        raise ContainerError(path, f"its index contradicts itself ({error})") from None
    container = Container(path, digest.hex(), sources, blocks, size)
    if _HEAD.size + container.payload + length + _FOOT.size != size:
        raise ContainerError(path, "its blocks do not fill it")
    return container


def read_payloads(container: Container) -> Iterator[tuple[Block, bytes]]:
    """Yield each block of a file and its payload.

    Raises:
        ContainerError: a payload is not what was written.
        PipelineError: it cannot be read.
    """
    with _reading(container.path), container.path.open("rb") as file:
        file.seek(_HEAD.size)
        for number, block in enumerate(container.blocks, start=1):
            payload = file.read(block.payload)
            if len(payload) != block.payload or crc32(payload) != block.crc:
                reason = f"block {number:,} of {len(container.blocks):,} is damaged"
                raise ContainerError(container.path, reason)
            yield block, payload


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Turn an error of the system into one line that names the file.

    Raises:
        PipelineError: the file cannot be read.
    """
    try:
        yield
    except OSError as error:
        raise PipelineError(refusal(error, path, "read")) from None


def _foreign(head: bytes) -> str:
    """Return why a file that begins so is none."""
    if not head:
        return "the file is empty"
    if MAGIC.startswith(head):
        return "the file is cut off"
    if head.startswith(MAGIC[:5]):
        return "a program has changed its line ends, as a transfer of text does"
    return "a file of another kind"
