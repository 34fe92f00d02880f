"""The pixels of every kind of picture, of any size."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cifar_pipeline.dataset.decoding import Decoding, Fit
from cifar_pipeline.images.decoding import decode_picture
from pictures import encoded, noise

GREY = np.repeat(np.arange(0, 256, 8, np.uint8)[None, :], 32, axis=0)


def decoded(content: bytes, fit: Fit = "crop", name: str = "a.png") -> np.ndarray:
    Path(name).write_bytes(content)
    pixels = decode_picture(name, Decoding(fit=fit))
    assert pixels.shape == (32, 32, 3)
    assert pixels.dtype == np.uint8
    return pixels


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "PPM"])
def test_a_picture_of_the_models_size_keeps_every_pixel(kind: str) -> None:
    pixels = noise()
    for fit in ("crop", "pad", "stretch"):
        np.testing.assert_array_equal(decoded(encoded(pixels, kind), fit), pixels)


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("JPEG", {"quality": 95}),
        ("JPEG", {"quality": 95, "progressive": True}),
        ("WEBP", {"quality": 95}),
        ("WEBP", {"lossless": True}),
        ("GIF", {}),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("AVIF", {"quality": 95}),
        ("JPEG2000", {}),
        ("ICO", {"sizes": [(64, 64)]}),
    ],
)
def test_every_format_shows_the_same_picture(kind: str, options: dict[str, object]) -> None:
    smooth = np.zeros((64, 64, 3), np.uint8)
    smooth[:, :, 0] = np.arange(0, 256, 4)
    smooth[:, :, 1] = np.arange(0, 256, 4)[:, None]
    expected = decoded(encoded(smooth, "PNG")).astype(int)
    # What the formats lose of colours is little; a wrong channel or turn would be 100 and more.
    assert np.abs(decoded(encoded(smooth, kind, **options)) - expected).mean() < 6


@pytest.mark.parametrize("name", ["photo", "photo.png", "photo.txt"])
def test_the_content_decides_on_the_format_not_the_name(name: str) -> None:
    np.testing.assert_array_equal(decoded(encoded(noise(), "BMP"), name=name), noise())


def test_grey_and_its_alpha() -> None:
    expected = np.repeat(GREY[:, :, None], 3, axis=2)
    np.testing.assert_array_equal(decoded(encoded(GREY, "PNG")), expected)
    opaque = Image.merge("LA", [Image.fromarray(GREY), Image.new("L", (32, 32), 255)])
    np.testing.assert_array_equal(decoded(encoded(opaque, "PNG")), expected)


def test_black_and_white() -> None:
    picture = Image.new("1", (32, 32))
    picture.paste(1, (0, 0, 16, 32))
    pixels = decoded(encoded(picture, "PNG"))
    assert (pixels[:, :16] == 255).all()
    assert (pixels[:, 16:] == 0).all()


@pytest.mark.parametrize("kind", ["PNG", "GIF", "BMP"])
def test_palette(kind: str) -> None:
    picture = Image.new("P", (32, 32), 1)
    picture.putpalette([0, 0, 0, 200, 100, 50])
    assert (decoded(encoded(picture, kind)) == (200, 100, 50)).all()


def test_a_palettes_transparent_colour_is_white() -> None:
    picture = Image.new("P", (32, 32), 1)
    picture.paste(0, (0, 0, 16, 32))
    picture.putpalette([0, 0, 0, 200, 100, 50])
    pixels = decoded(encoded(picture, "PNG", transparency=0))
    assert (pixels[:, :16] == 255).all()
    assert (pixels[:, 16:] == (200, 100, 50)).all()


@pytest.mark.parametrize(("alpha", "expected"), [(0, 255), (128, 127), (255, 0)])
def test_alpha_is_composed_over_white(alpha: int, expected: int) -> None:
    for picture in (
        Image.new("RGBA", (40, 40), (0, 0, 0, alpha)),
        Image.merge("LA", [Image.new("L", (40, 40), 0), Image.new("L", (40, 40), alpha)]),
    ):
        assert np.abs(decoded(encoded(picture, "PNG")).astype(int) - expected).max() <= 1


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "PPM", "JPEG2000"])
def test_grey_of_16_bits_is_scaled(kind: str) -> None:
    expected = np.repeat(GREY[:, :, None], 3, axis=2)
    np.testing.assert_array_equal(decoded(encoded(GREY.astype(np.uint16) * 257, kind)), expected)


@pytest.mark.parametrize("scale", [np.int32(1_000_000), np.float32(1 / 255), np.float32(-3.5)])
def test_grey_of_32_bits_spans_black_to_white(scale: np.number) -> None:
    values = GREY.astype(scale.dtype) * scale
    steps = np.linspace(0, 255, 32).round()[:: -1 if scale < 0 else 1]
    assert (decoded(encoded(values, "TIFF")) == steps[None, :, None]).all()


def tiff(values: np.ndarray, tag: int, before: int, after: int) -> bytes:
    """Return a TIFF whose tag, one number of 16 bits, is `after` in place of `before`."""
    entry = bytes([tag % 256, tag // 256, 3, 0, 1, 0, 0, 0])
    content = encoded(values, "TIFF")
    assert content.count(entry + bytes([before, 0])) == 1
    return content.replace(entry + bytes([before, 0]), entry + bytes([after, 0]))


@pytest.mark.parametrize("values", [GREY.astype(np.uint16) * 257, GREY.astype(np.float32)])
def test_white_may_be_zero(values: np.ndarray) -> None:
    plain = decoded(encoded(values, "TIFF"))
    assert plain.max() > plain.min()
    np.testing.assert_array_equal(decoded(tiff(values, 262, 1, 0)), 255 - plain)


def test_grey_of_32_bits_may_be_unsigned() -> None:
    values = np.linspace(0, 2**32 - 1, 32).astype(np.uint32).view(np.int32)
    content = tiff(np.tile(values, (32, 1)), 339, 2, 1)
    found = decoded(content)[0, :, 0].astype(int)
    assert np.abs(found - np.linspace(0, 255, 32)).max() <= 1


def test_a_transparent_grey_of_16_bits_is_white() -> None:
    values = np.full((32, 32), 20_000, np.uint16)
    values[:, :16] = 300
    found = decoded(encoded(Image.fromarray(values), "PNG", transparency=300))
    assert (found[:, :16] == 255).all()
    assert (found[:, 16:] == 78).all()


def test_a_flat_picture_of_floats() -> None:
    assert (decoded(encoded(np.full((9, 9), 0.3, np.float32), "TIFF")) == 0).all()


def test_cmyk() -> None:
    for kind in ("JPEG", "TIFF"):
        pixels = decoded(encoded(Image.new("CMYK", (40, 40), (0, 255, 255, 0)), kind))
        assert np.abs(pixels.astype(int) - (255, 0, 0)).max() <= 3


@pytest.mark.parametrize("mode", ["YCbCr", "LAB"])
def test_other_colour_spaces(mode: str) -> None:
    picture = Image.new("RGB", (40, 40), (200, 60, 40)).convert(mode)
    pixels = decoded(encoded(picture, "TIFF"))
    assert np.abs(pixels.astype(int) - (200, 60, 40)).max() <= 5


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF"])
def test_exif_turns_the_picture(kind: str, orientation: int) -> None:
    # Upright: red in the upper left, green in the upper right, the rest black.
    upright = Image.new("RGB", (64, 64))
    upright.paste((255, 0, 0), (0, 0, 32, 32))
    upright.paste((0, 255, 0), (32, 0, 64, 32))
    stored = {
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = upright if stored is None else upright.transpose(stored)
    pixels = decoded(encoded(picture, kind, exif=exif)).astype(int)
    assert np.abs(pixels[8, 8] - (255, 0, 0)).max() < 20
    assert np.abs(pixels[8, 24] - (0, 255, 0)).max() < 20
    assert pixels[24].max() < 20


def test_damaged_exif_data_does_not_cost_the_picture() -> None:
    content = encoded(noise(), "WEBP", lossless=True, exif=b"Exif\0\0MM\x8d*\0\0\0\x08")
    np.testing.assert_array_equal(decoded(content), noise())


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "TIFF", "AVIF", "MPO"])
def test_the_first_frame_counts(kind: str) -> None:
    frames = [Image.new("RGB", (32, 32), colour) for colour in ("red", "blue", "lime")]
    content = encoded(frames[0], kind, save_all=True, append_images=frames[1:])
    assert np.abs(decoded(content).astype(int) - (255, 0, 0)).max() <= 3


def test_colours_of_16_bits() -> None:
    pixels = noise()
    content = b"P6 32 32 65535\n" + (pixels.astype(">u2") * 257).tobytes()
    np.testing.assert_array_equal(decoded(content), pixels)


def test_area_resampling_takes_means() -> None:
    pixels = noise(96, 96)
    expected = pixels.reshape(32, 3, 32, 3, 3).mean(axis=(1, 3))
    assert np.abs(decoded(encoded(pixels, "PNG")) - expected).max() <= 1


@pytest.mark.parametrize("shape", [(64, 164), (164, 64)])
def test_fit(shape: tuple[int, int]) -> None:
    height, width = shape
    picture = Image.new("RGB", (width, height), "red")
    picture.paste((0, 0, 255), ((width - 64) // 2, (height - 64) // 2, (width + 64) // 2,
                                (height + 64) // 2))  # fmt: skip
    content = encoded(picture, "PNG")
    wide = width > height

    def along(fit: Fit) -> np.ndarray:
        pixels = decoded(content, fit)
        return pixels if wide else pixels.transpose(1, 0, 2)

    assert (along("crop") == (0, 0, 255)).all()
    padded = along("pad")  # 12 rows of picture between 10 of white
    assert (padded[:10] == 255).all()
    assert (padded[22:] == 255).all()
    assert (padded[10:22, 0] == (255, 0, 0)).all()
    stretched = along("stretch")
    assert (stretched[:, [0, -1]] == (255, 0, 0)).all()
    assert (stretched[:, 16] == (0, 0, 255)).all()


@pytest.mark.parametrize("fit", ["crop", "pad", "stretch"])
@pytest.mark.parametrize("size", [(1, 1), (1, 30_000), (30_000, 1), (31, 33), (5, 2), (3000, 20)])
def test_any_size(size: tuple[int, int], fit: Fit) -> None:
    pixels = decoded(encoded(Image.new("RGB", size, (10, 200, 30)), "PNG"), fit)
    colours = {tuple(colour) for colour in pixels.reshape(-1, 3).tolist()}
    assert (10, 200, 30) in colours
    assert colours <= {(10, 200, 30), (255, 255, 255)}
    assert fit == "pad" or len(colours) == 1


def test_a_small_picture_grows_smoothly() -> None:
    small = np.linspace(20, 230, 8).astype(np.uint8)[None, :, None].repeat(8, 0).repeat(3, 2)
    row = decoded(encoded(small, "PNG"))[16, :, 0].astype(int)
    assert len(set(row.tolist())) > 20  # not blocks of eight values
