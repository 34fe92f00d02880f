"""Which image files hold the same picture: the same pixels, at its own size."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from cifar_pipeline.images.decoding import Decoded, decode_whole, silenced


class Fingerprint(NamedTuple):
    """What files of the same picture have in common, known from one decoding of each.

    Attributes:
        sha256: of the file's bytes: equal for copies, and only likely to differ for others.
        shrunk: SHA-256 of the picture's size and of the image made of it: equal for the same
            picture.
    """

    sha256: str
    shrunk: bytes


def fingerprint(sha256: str, image: Decoded) -> Fingerprint:
    """Return the fingerprint of a file with these bytes and this image."""
    size = f"{image.width} {image.height} ".encode()
    return Fingerprint(sha256, hashlib.sha256(size + image.pixels.tobytes()).digest())


def groups_of(fingerprints: Mapping[Path, Fingerprint]) -> dict[Path, int]:
    """Return a number for each file, equal for files of the same picture.

    Files whose shrunk images are equal, though their bytes are not, are decoded again in full.

    Args:
        fingerprints: of all files.
    """
    alike: dict[bytes, list[Path]] = {}
    for path, found in fingerprints.items():
        alike.setdefault(found.shrunk, []).append(path)
    numbers: dict[object, int] = {}
    groups = {}
    for shrunk, paths in alike.items():
        copies = len({fingerprints[path].sha256 for path in paths}) == 1
        for path in paths:
            key = shrunk if copies else _digest_of_pixels(path)
            groups[path] = numbers.setdefault(key, len(numbers))
    return groups


def _digest_of_pixels(path: Path) -> bytes:
    with silenced():
        pixels = decode_whole(str(path))
    return hashlib.sha256(f"{pixels.shape} ".encode() + pixels.tobytes()).digest()
