"""Picture files that tests make on the fly."""

import io
import os
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image


def noise(height: int = 32, width: int = 32, seed: int = 0) -> np.ndarray:
    """Return pixels like no other, uint8 (height, width, 3)."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def encoded(picture: Image.Image | np.ndarray, kind: str, **options: object) -> bytes:
    """Return a picture, or the pixels of one, as the bytes of a file."""
    if isinstance(picture, np.ndarray):
        picture = Image.fromarray(picture)
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def bomb(width: int = 60_000, height: int = 60_000) -> bytes:
    """Return a PNG of a kilobyte that says it has 3.6 thousand million pixels."""

    def chunk(name: bytes, content: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(name + content))
        return struct.pack(">I", len(content)) + name + content + check

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = (chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(bytes(100_000))))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts) + chunk(b"IEND", b"")


@contextmanager
def as_nobody(folder: Path) -> Iterator[None]:
    """Run the block in `folder` as a user whom permissions hold back, should this be root."""
    before = Path.cwd()
    folder.chmod(0o755)
    os.chdir(folder)  # the folders above may be closed to others: names in here are relative
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)
        os.chdir(before)
