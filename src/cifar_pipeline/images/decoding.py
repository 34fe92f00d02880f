"""Decode one picture file, of any kind and size, into what the model takes."""

import io
import stat
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from cifar_pipeline.common.streams import standard_error_dropped
from cifar_pipeline.common.system_errors import advice_for, is_of_system, reason_of
from cifar_pipeline.dataset.cifar10 import IMAGE_SHAPE
from cifar_pipeline.dataset.decoding import Decoding, Fit
from cifar_pipeline.images.paths import PictureError, shown

# Not all that Pillow knows: EPS, for one, is a program that Ghostscript would run.
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "DIB", "GIF", "TIFF", "AVIF", "JPEG2000", "PPM", "ICO")
_READABLE = "PNG, JPEG, WebP, BMP, GIF, TIFF, AVIF, JPEG 2000, PPM or ICO"
# A 100-megapixel camera's pictures pass; they take up to 2 GB while they are decoded.
MAX_PIXELS = 120_000_000
# WebP and AVIF are read into memory as a whole before anything is known of them.
MAX_BYTES = 2**29
_WHITE = (255, 255, 255)
# A JPEG is decoded at half, a quarter or an eighth of its size where that leaves so many times
# the pixels of a side.
_REDUCED_TO = 2
# Tags of TIFF, and what they say.
_PHOTOMETRIC, _WHITE_IS_ZERO = 262, 0
_SAMPLE_FORMAT, _UNSIGNED = 339, (1,)


class Decoded(NamedTuple):
    """A picture as an image.

    Attributes:
        pixels: uint8 (size, size, 3), RGB from 0 to 255.
        width: of the picture as the file has it, in pixels.
        height: likewise.
        mode: Pillow's name of its kind of pixels, such as RGB, L (grey) or CMYK.
    """

    pixels: np.ndarray
    width: int
    height: int
    mode: str


def decode_picture(path: str, decoding: Decoding = Decoding()) -> np.ndarray:  # noqa: B008
    """Return the picture at `path` as uint8 (size, size, 3), RGB from 0 to 255.

    The content decides on the format, not the name. Of an animation or of several pages the first
    counts. The picture is turned as its EXIF data says; what is transparent is composed over
    white; CMYK is converted without its colour profile. Grey of 16 bits is scaled by 255 / 65535;
    grey of 32 bits or of floats, whose range no file states, so that its least value becomes 0 and
    its greatest 255. A picture of the image's size in 8-bit RGB keeps every pixel.

    Args:
        path: a regular file of at most `MAX_BYTES`.
        decoding: size and fit of the image.

    Raises:
        PictureError: the file is missing, no picture, broken or too large.
    """
    with silenced():
        return decode_file(path, decoding).pixels


def decode_file(path: str, decoding: Decoding, content: bytes | None = None) -> Decoded:
    """Return the picture at `path`, decoded as `decode_picture` does, inside of `silenced`.

    Args:
        path: as there.
        decoding: size and fit of the image.
        content: the file's bytes where the caller has read them.

    Raises:
        PictureError: as there.
    """
    with _opened(path, content) as picture:
        (width, height), mode = picture.size, picture.mode
        if decoding.reduced:
            picture.draft(None, (_REDUCED_TO * decoding.size, _REDUCED_TO * decoding.size))
        image = fitted(_loaded(picture), decoding.fit, decoding.size)
        return Decoded(np.asarray(image), width, height, mode)


def decode_whole(path: str) -> np.ndarray:
    """Return the picture at `path` at its own size, uint8 (H, W, 3), inside of `silenced`.

    Raises:
        PictureError: as `decode_picture`.
    """
    with _opened(path, None) as picture:
        return np.asarray(_loaded(picture))


@contextmanager
def _opened(path: str, content: bytes | None) -> Iterator[Image.Image]:
    """Yield the picture at `path`; whatever its decoding raises in the block is a PictureError."""
    require_regular(path)
    try:
        file = path if content is None else io.BytesIO(content)
        with Image.open(file, formats=FORMATS) as picture:
            _require_small(path, picture)
            yield picture
    except PictureError:
        raise
    # A broken file can raise anything: struct.error, SyntaxError, IndexError, ValueError, ...
    except Exception as error:
        raise PictureError(path, _reason(path, error)) from None


def _loaded(picture: Image.Image) -> Image.Image:
    """Decode a picture that was opened, and return it upright, in 8-bit RGB."""
    picture.load()
    # Damaged EXIF data: the pixels are all there, and that they be turned is only likely.
    with suppress(Exception):
        ImageOps.exif_transpose(picture, in_place=True)
    return _as_rgb(picture)


def fitted(picture: Image.Image, fit: Fit, size: int = IMAGE_SHAPE[0]) -> Image.Image:
    """Return an RGB picture of any size as one of `size` x `size`.

    `crop` keeps the square in the middle, `pad` adds white on both sides, `stretch` changes the
    proportions. A side above `size` pixels shrinks by area resampling (each new pixel is the mean
    of the area that it covers), a smaller one grows by Lanczos resampling.
    """
    width, height = picture.size
    if fit == "crop":
        side = min(width, height)
        left, top = (width - side) // 2, (height - side) // 2
        return _resampled(picture, (size, size), (left, top, left + side, top + side))
    whole = (0, 0, width, height)
    if fit == "stretch":
        return _resampled(picture, (size, size), whole)
    scale = size / max(width, height)
    inner = (max(1, round(width * scale)), max(1, round(height * scale)))
    padded = Image.new("RGB", (size, size), _WHITE)
    place = ((size - inner[0]) // 2, (size - inner[1]) // 2)
    padded.paste(_resampled(picture, inner, whole), place)
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
def silenced() -> Iterator[None]:
    """Keep Pillow's warnings, and what it logs and libtiff writes, off the terminal.

    What is wrong with a file comes as an exception as well. The process's standard error goes
    nowhere meanwhile, that of all its threads.
    """
    with standard_error_dropped(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


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
        if path.startswith(("http://", "https://")):
            return "an address, and nothing is fetched: save the picture to a file"
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
    if is_of_system(error):
        return f"cannot be read ({reason_of(error)}); {advice_for(error)}"
    detail = shown(" ".join(str(error).split()))[:80] or type(error).__name__
    return f"cut off, damaged or of a rare kind ({detail}); fetch it again or save it as PNG"
