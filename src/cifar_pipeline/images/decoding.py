"""Decode one picture file, of any kind and size, into what the model takes."""

import os
import stat
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from cifar_pipeline.dataset.cifar10 import IMAGE_SHAPE
from cifar_pipeline.images.paths import Fit, PictureError, shown

# Not all that Pillow knows: EPS, for one, is a program that Ghostscript would run.
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "DIB", "GIF", "TIFF", "AVIF", "JPEG2000", "PPM", "ICO")
_READABLE = "PNG, JPEG, WebP, BMP, GIF, TIFF, AVIF, JPEG 2000, PPM or ICO"
# A 100-megapixel camera's pictures pass; they take up to 2 GB while they are decoded.
MAX_PIXELS = 120_000_000
# WebP and AVIF are read into memory as a whole before anything is known of them.
MAX_BYTES = 2**29
_SIZE = IMAGE_SHAPE[0]
_WHITE = (255, 255, 255)
# Tags of TIFF, and what they say.
_PHOTOMETRIC, _WHITE_IS_ZERO = 262, 0
_SAMPLE_FORMAT, _UNSIGNED = 339, (1,)


def decode_picture(path: str, fit: Fit = "crop") -> np.ndarray:
    """Return the picture at `path` as uint8 (32, 32, 3), RGB from 0 to 255.

    The content decides on the format, not the name. Of an animation or of several pages the first
    counts. The picture is turned as its EXIF data says; what is transparent is composed over
    white; CMYK is converted without its colour profile. Grey of 16 bits is scaled by 255 / 65535;
    grey of 32 bits or of floats, whose range no file states, so that its least value becomes 0 and
    its greatest 255. A picture of 32 x 32 8-bit RGB pixels keeps every one of them.

    Args:
        path: a regular file of at most `MAX_BYTES`.
        fit: what becomes of a picture that is not square, see `fitted`.

    Raises:
        PictureError: the file is missing, no picture, broken or too large.
    """
    require_regular(path)
    try:
        with _quiet(), Image.open(path, formats=FORMATS) as picture:
            _require_small(path, picture)
            picture.load()
            # Damaged EXIF data: the pixels are all there, and that they be turned is only likely.
            with suppress(Exception):
                ImageOps.exif_transpose(picture, in_place=True)
            return np.asarray(fitted(_as_rgb(picture), fit))
    except PictureError:
        raise
    # A broken file can raise anything: struct.error, SyntaxError, IndexError, ValueError, ...
    except Exception as error:
        raise PictureError(path, _reason(path, error)) from None


def fitted(picture: Image.Image, fit: Fit) -> Image.Image:
    """Return an RGB picture of any size as one of 32 x 32.

    `crop` keeps the square in the middle, `pad` adds white on both sides, `stretch` changes the
    proportions. A side above 32 pixels shrinks by area resampling (each new pixel is the mean of
    the area that it covers), a smaller one grows by Lanczos resampling.
    """
    width, height = picture.size
    if fit == "crop":
        side = min(width, height)
        left, top = (width - side) // 2, (height - side) // 2
        return _resampled(picture, (_SIZE, _SIZE), (left, top, left + side, top + side))
    whole = (0, 0, width, height)
    if fit == "stretch":
        return _resampled(picture, (_SIZE, _SIZE), whole)
    scale = _SIZE / max(width, height)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    padded = Image.new("RGB", (_SIZE, _SIZE), _WHITE)
    place = ((_SIZE - size[0]) // 2, (_SIZE - size[1]) // 2)
    padded.paste(_resampled(picture, size, whole), place)
    return padded


def _resampled(
    picture: Image.Image, size: tuple[int, int], box: tuple[int, int, int, int]
) -> Image.Image:
    left, top, right, bottom = box
    less = (min(right - left, size[0]), min(bottom - top, size[1]))
    # Where one side shrinks and the other grows, one filter would be wrong for one of them. A step
    # that has nothing to do leaves the pixels as they are.
    shrunk = picture.resize(less, Image.Resampling.BOX, box)
    return shrunk.resize(size, Image.Resampling.LANCZOS)


def _as_rgb(picture: Image.Image) -> Image.Image:
    """Return a picture of any mode in 8-bit RGB."""
    # "I" is 32 bits but for PGM, where it is Pillow's mode for 16.
    if picture.mode.startswith("I;16") or (picture.mode == "I" and picture.format == "PPM"):
        return _grey(picture, (0, 65535))
    if picture.mode in ("I", "F"):
        return _grey(picture)
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        white = Image.new("RGB", picture.size, _WHITE)
        white.paste(picture, mask=picture)
        return white
    return picture if picture.mode == "RGB" else picture.convert("RGB")


def _grey(picture: Image.Image, limits: tuple[float, float] | None = None) -> Image.Image:
    """Return a picture of numbers with `limits`, or else their own, stretched to 0 to 255."""
    # 24 bits of precision decide on 8, and a large picture has to fit into memory.
    values = np.array(_numbers(picture), np.float32)
    if not np.isfinite(values).all():
        raise ValueError("values that are not finite")
    least, greatest = limits or (float(values.min()), float(values.max()))
    values -= least
    values *= 255 / max(greatest - least, float(np.finfo(np.float32).tiny))
    tags = getattr(picture, "tag_v2", {})
    if tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO:
        np.subtract(255, values, out=values)
    transparent = picture.info.get("transparency")
    if isinstance(transparent, int):
        values[np.asarray(picture) == transparent] = 255
    return Image.fromarray(values.round(out=values).astype(np.uint8)).convert("RGB")


def _numbers(picture: Image.Image) -> np.ndarray:
    """Return the numbers of a grey picture as the file has them."""
    numbers = np.asarray(picture)
    tags = getattr(picture, "tag_v2", {})
    # Pillow reads them all as signed.
    if numbers.dtype == np.int32 and tags and tags.get(_SAMPLE_FORMAT, _UNSIGNED) == _UNSIGNED:
        return numbers.view(np.uint32)
    return numbers


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Pillow's warnings, and what it logs and libtiff writes, off the terminal.

    What is wrong with a file comes as an exception as well.
    """
    terminal = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        os.dup2(terminal, 2)
        os.close(terminal)
        os.close(nowhere)


def require_regular(path: str) -> None:
    """Refuse what cannot be a picture before it is opened.

    Opening a pipe waits for a writer, and opening a device may act on it.

    Raises:
        PictureError: there is no regular file, or one of a size that no picture has.
    """
    try:
        status = Path(path).stat()
    except (OSError, ValueError) as error:
        raise PictureError(path, _reason(path, error)) from None
    if stat.S_ISDIR(status.st_mode):
        raise PictureError(path, "a folder, not a picture; name the folder alone to read all in it")
    if not stat.S_ISREG(status.st_mode):
        raise PictureError(path, "a pipe, socket or device; save the picture to a file")
    if not status.st_size:
        raise PictureError(path, "the file is empty (0 bytes); fetch or save it again")
    if status.st_size > MAX_BYTES:
        raise PictureError(
            path,
            f"the file has {status.st_size:,} bytes, and {MAX_BYTES:,} are the most; save the "
            "picture smaller",
        )


def _require_small(path: str, picture: Image.Image) -> None:
    """Refuse by what the header says, before any pixel is decoded."""
    if picture.width * picture.height > MAX_PIXELS:
        raise PictureError(
            path,
            f"{picture.width:,} x {picture.height:,} pixels, and {MAX_PIXELS:,} are the most; "
            "save it smaller, if it is a picture and no decompression bomb",
        )


def _reason(path: str, error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        if Path(path).is_symlink():
            return "a link to a file that is not there; restore that file or name another"
        return "there is no such file; check its folder and spelling"
    if isinstance(error, UnidentifiedImageError):
        return (
            f"no picture that can be read, or only part of one; expected {_READABLE}: convert it "
            "to one of them, or fetch it again"
        )
    if isinstance(error, Image.DecompressionBombError):
        return f"more pixels than the {MAX_PIXELS:,} that are the most; save it smaller"
    if isinstance(error, MemoryError):
        return "this picture does not fit into memory; save it smaller"
    if isinstance(error, OSError) and error.strerror:
        return f"cannot be read ({error.strerror}); check the file and its permissions"
    detail = shown(" ".join(str(error).split()))[:80] or type(error).__name__
    return f"cut off, damaged or of a rare kind ({detail}); fetch it again or save it as PNG"
