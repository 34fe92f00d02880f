"""The index of a file of the codec: which images are in it, and where.

All numbers are little-endian. Nothing that an index claims is believed, or room made for it, before
it is compared with the bytes that there are and with the limits below.
"""

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from itertools import accumulate, pairwise

# An image's height and width count as multiples of it, as no transform pads to more.
ALIGNMENT = 32
# Of a block's images. One image may have as many: it is a block then.
BLOCK_PIXELS = 1 << 24
LONGEST_SIDE = 1 << 14
_COUNTS = struct.Struct("<II")  # of sources and of blocks
_SOURCE = struct.Struct("<BIH")  # kind, images, bytes of the name
_BLOCK = struct.Struct("<IHHIIB")  # images, height, width, payload's bytes and CRC-32, levels
BLOCK_BYTES = _BLOCK.size
_LONGEST_NAME = 4096


class ContradictionError(Exception):
    """An index of which two things do not fit together; the message names them."""


class Kind(IntEnum):
    """What a source was."""

    ARRAY = 0
    PICTURE = 1


@dataclass(frozen=True)
class Source:
    """An array of images, or a picture.

    Attributes:
        kind: which of them.
        name: its file, relative to the folder that all sources share, with `/` between parts.
        images: their number, at least 1; 1 for a picture.
    """

    kind: Kind
    name: str
    images: int


@dataclass(frozen=True)
class Block:
    """Consecutive images of one size, of one source or of several.

    Attributes:
        height: of each image, in pixels.
        width: likewise.
        levels: the quality of each image, a byte each.
        payload: the bytes of their symbols.
        crc: CRC-32 of the payload.
    """

    height: int
    width: int
    levels: bytes
    payload: int
    crc: int

    @property
    def images(self) -> int:
        """How many images there are."""
        return len(self.levels)


def images_a_block(height: int, width: int, pixels: int | None = None) -> int:
    """Return how many images of a size a block takes; 0: they are too large.

    Args:
        height: of an image, in pixels.
        width: likewise.
        pixels: of the block; None: `BLOCK_PIXELS`.
    """
    if not 0 < height <= LONGEST_SIDE or not 0 < width <= LONGEST_SIDE:
        return 0
    padded = -(-height // ALIGNMENT) * -(-width // ALIGNMENT) * ALIGNMENT**2
    return (BLOCK_PIXELS if pixels is None else pixels) // padded


def pack_index(sources: Iterable[Source], blocks: Iterable[Block]) -> bytes:
    """Return sources and blocks as bytes."""
    entries = []
    for source in sources:
        name = source.name.encode()
        entries.append(_SOURCE.pack(source.kind, source.images, len(name)) + name)
    first_block = len(entries)
    for block in blocks:
        one = len(set(block.levels)) == 1
        numbers = (block.images, block.height, block.width, block.payload, block.crc, not one)
        entries.append(_BLOCK.pack(*numbers) + (block.levels[:1] if one else block.levels))
    return b"".join([_COUNTS.pack(first_block, len(entries) - first_block), *entries])


def parse_index(content: bytes) -> tuple[tuple[Source, ...], tuple[Block, ...]]:
    """Return the sources and blocks of `pack_index`.

    Raises:
        ContradictionError: it is none.
    """
    rest = _Rest(content)
    source_count, block_count = rest.unpack(_COUNTS)
    rest.require(source_count * _SOURCE.size + block_count * _BLOCK.size)
    sources = tuple(_source(rest) for _ in range(source_count))
    blocks = tuple(_block(rest) for _ in range(block_count))
    if rest.left:
        raise ContradictionError(f"{rest.left} bytes left over")
    _require_same_images(sources, blocks)
    return sources, blocks


class _Rest:
    """Bytes that are taken one piece after the other."""

    def __init__(self, content: bytes) -> None:
        self._content, self._at = content, 0

    @property
    def left(self) -> int:
        return len(self._content) - self._at

    def require(self, count: int) -> None:
        if count > self.left:
            raise ContradictionError("an entry without an end")

    def take(self, count: int) -> bytes:
        self.require(count)
        self._at += count
        return self._content[self._at - count : self._at]

    def unpack(self, form: struct.Struct) -> tuple[int, ...]:
        return form.unpack(self.take(form.size))


def _source(rest: _Rest) -> Source:
    kind, images, length = rest.unpack(_SOURCE)
    try:
        name = rest.take(length).decode()
    except UnicodeDecodeError:
        raise ContradictionError("a name that is no text") from None
    if kind not in tuple(Kind) or not images or (kind == Kind.PICTURE and images != 1):
        raise ContradictionError(f"a source of kind {kind} with {images} images")
    if not is_safe(name):
        raise ContradictionError(f"the name {name[:80]!a}, which leaves the folder or is none")
    return Source(Kind(kind), name, images)


def is_safe(name: str) -> bool:
    """Say whether a source's name stays in its folder, on any system, and can be a file's."""
    parts = name.split("/")
    return (
        len(name) <= _LONGEST_NAME
        and not any(part in ("", ".", "..") for part in parts)
        and not any(character in name for character in "\\\0")
        and not (len(name) > 1 and name[1] == ":")  # a drive
    )


def _block(rest: _Rest) -> Block:
    images, height, width, payload, crc, has_levels = rest.unpack(_BLOCK)
    if not 0 < images <= images_a_block(height, width) or has_levels > 1:
        raise ContradictionError(f"{images} images of {width} x {height} pixels in a block")
    levels = rest.take(images) if has_levels else rest.take(1) * images
    return Block(height, width, levels, payload, crc)


def _require_same_images(sources: tuple[Source, ...], blocks: tuple[Block, ...]) -> None:
    """Compare the images of sources with those of blocks; the images of an array have one size."""
    ends = set(accumulate(source.images for source in sources))
    total = max(ends, default=0)
    if sum(block.images for block in blocks) != total or not total:
        raise ContradictionError(f"other than {total} images in its blocks")
    at = 0
    for before, after in pairwise(blocks):
        at += before.images
        if (before.height, before.width) != (after.height, after.width) and at not in ends:
            raise ContradictionError("an array of images of two sizes")
