"""Codecs that everybody has, for comparison, on one small image at a time.

At 32 x 32 pixels the file's headers outweigh the image, so that two sizes are told: that of the
file, and that of the payload alone, what a decoder would still need if it knew all headers.
"""

import io
import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np
from PIL import Image, features


@dataclass(frozen=True)
class ReferenceCodec:
    """A codec and its settings, from the smallest files to the largest.

    Attributes:
        settings: of quality.
        encode: returns a file of an image, uint8 (H, W, 3), at a setting.
        decode: returns the image of a file.
        payload: returns how many bytes of a file are no headers.
    """

    settings: tuple[float, ...]
    encode: Callable[[np.ndarray, float], bytes]
    decode: Callable[[bytes], np.ndarray]
    payload: Callable[[bytes], int]


def reference_codecs() -> dict[str, ReferenceCodec]:
    """Return the codecs that are installed, by their names."""
    tenths = (1, *range(5, 100, 5))
    found = {
        "JPEG": _by_pillow("JPEG", tenths, _jpeg_payload),
        "JPEG, optimised tables": _by_pillow("JPEG", tenths, _jpeg_payload, optimize=True),
    }
    if features.check("webp"):
        found["WebP"] = _by_pillow("WEBP", tenths, _webp_payload, method=6)
    if features.check("avif"):
        found["AVIF"] = _by_pillow("AVIF", tenths, _avif_payload, speed=4)
    if features.check("jpg_2000"):
        found["JPEG 2000"] = _jpeg2000()
    if find_spec("imagecodecs"):
        found["JPEG XL"] = _jpeg_xl()
    return found


def _decode(content: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(content)) as picture:
        return np.asarray(picture.convert("RGB"))


def _by_pillow(
    name: str, settings: Iterable[float], payload: Callable[[bytes], int], **options: Any
) -> ReferenceCodec:
    def encode(image: np.ndarray, setting: float) -> bytes:
        content = io.BytesIO()
        Image.fromarray(image).save(content, name, quality=int(setting), **options)
        return content.getvalue()

    return ReferenceCodec(tuple(settings), encode, _decode, payload)


def _jpeg2000() -> ReferenceCodec:
    """Return JPEG 2000 as a bare codestream; a setting is a PSNR in dB."""

    def encode(image: np.ndarray, setting: float) -> bytes:
        content = io.BytesIO()
        # The other transform, 5/3, is for files without loss.
        options: dict[str, Any] = {"irreversible": True, "no_jp2": True}
        options |= {"quality_mode": "dB", "quality_layers": [setting]}
        Image.fromarray(image).save(content, "JPEG2000", **options)
        return content.getvalue()

    return ReferenceCodec(tuple(range(14, 46, 2)), encode, _decode, _jpeg2000_payload)


def _jpeg_xl() -> ReferenceCodec:
    import imagecodecs

    def encode(image: np.ndarray, setting: float) -> bytes:
        return imagecodecs.jpegxl_encode(image, distance=setting, effort=7)

    def payload(content: bytes) -> int:
        return len(content)  # a bare codestream, whose header is two bytes and the size

    distances = (25, 15, 12, 10, 8, 6.5, 5, 4, 3, 2, 1.5, 1, 0.5)
    return ReferenceCodec(distances, encode, imagecodecs.jpegxl_decode, payload)


def _jpeg_payload(content: bytes) -> int:
    """Return the bytes of the scan: after its header, up to the mark of the end."""
    at = 2
    while content[at + 1] != 0xDA:
        at += 2 + struct.unpack(">H", content[at + 2 : at + 4])[0]
    at += 2 + struct.unpack(">H", content[at + 2 : at + 4])[0]
    return len(content) - at - 2


def _webp_payload(content: bytes) -> int:
    """Return the bytes of the chunk VP8, less its header of ten bytes (RFC 6386, section 9.1)."""
    at = content.index(b"VP8 ")
    return struct.unpack("<I", content[at + 4 : at + 8])[0] - 10


def _avif_payload(content: bytes) -> int:
    """Return the bytes of the box mdat, the AV1 bitstream with its sequence header."""
    at = 0
    while content[at + 4 : at + 8] != b"mdat":
        at += struct.unpack(">I", content[at : at + 4])[0]
    return struct.unpack(">I", content[at : at + 4])[0] - 8


def _jpeg2000_payload(content: bytes) -> int:
    """Return the bytes after the mark of the start of data, up to that of the end."""
    return len(content) - content.index(b"\xff\x93") - 4
