"""The hash by which DVC names bytes."""

import hashlib
from pathlib import Path


def md5_of(path: Path) -> str:
    """Return the MD5 of the file's bytes, 32 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
