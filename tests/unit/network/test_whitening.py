"""The filters of the whitening convolution."""

import io

import keras
import numpy as np
import pytest
from PIL import Image

from cifar_pipeline.dataset.channel_statistics import channel_statistics
from cifar_pipeline.network.whitening import has_one_tone, whitening_filters
from synthetic import synthetic_split


@pytest.mark.parametrize("number", [16, 24])
def test_whitening_decorrelates_patches(number: int) -> None:
    images, _ = synthetic_split(200, 0)
    statistics = channel_statistics(images)
    filters = whitening_filters(images, statistics, number)
    assert filters.shape == (2, 2, 3, number)
    directions = filters[..., : number // 2]
    assert np.array_equal(directions, -filters[..., number // 2 :])
    scaled = (images - np.array(statistics.mean)) / np.array(statistics.standard_deviation)
    maps = keras.ops.convert_to_numpy(keras.ops.conv(scaled.astype("float32"), directions))
    flat = maps.reshape(-1, number // 2)
    covariance = flat.T @ flat / len(flat)
    assert np.abs(covariance - np.diag(np.diag(covariance))).max() < 0.01


# Brightness differs more between images than in them, as in photographs.
GREY = np.random.default_rng(1).integers(40, 216, (100, 1, 1, 1)).repeat(3, axis=3)
GREY = GREY + np.random.default_rng(2).integers(-40, 41, (100, 12, 12, 1))
COLOUR = np.random.default_rng(3).integers(0, 256, (100, 12, 12, 3))
DEGENERATE = {
    "grey": GREY,
    "faint": GREY // 200 + 100,
    "nearly grey": GREY + np.random.default_rng(4).integers(-1, 2, GREY.shape),
    "sepia": np.rint(GREY * [1, 0.85, 0.66]),
    "two equal channels": COLOUR[..., [0, 0, 2]],
    "a constant channel": COLOUR * [1, 0, 1] + [0, 7, 0],
    "one channel": COLOUR * [0, 0, 1],
    "each of one colour": COLOUR[:, :1, :1].repeat(12, axis=1).repeat(12, axis=2),
    "each of one grey": GREY[:, :1, :1].repeat(12, axis=1).repeat(12, axis=2),
    "1 bit": (GREY > 128) * 255,
    "stripes": (np.arange(12)[:, None, None] % 2 * 255) + 0 * GREY,
}


def responses(images: np.ndarray, filters: np.ndarray, dtype: str) -> np.ndarray:
    """Return the filters' responses (positions, filters), with inputs and weights of `dtype`."""
    statistics = channel_statistics(images)
    scaled = (images - np.array(statistics.mean)) / np.array(statistics.scale)
    rounded = [
        keras.ops.cast(keras.ops.cast(value.astype("float32"), dtype), "float32")
        for value in (scaled, filters)
    ]
    maps = keras.ops.convert_to_numpy(keras.ops.conv(*rounded))
    return maps.reshape(-1, filters.shape[-1])


@pytest.mark.parametrize("number", [8, 16, 24])
@pytest.mark.parametrize("name", DEGENERATE)
def test_no_filter_multiplies_rounding_errors(name: str, number: int) -> None:
    images = DEGENERATE[name].astype(np.uint8)
    filters = whitening_filters(images, channel_statistics(images), number)
    assert np.isfinite(filters).all()
    exact = responses(images, filters, "float32")
    errors = responses(images, filters, "bfloat16") - exact
    assert (np.mean(exact**2, axis=0) > 0.1).all()
    assert (np.mean(errors**2, axis=0) < 0.1 * np.mean(exact**2, axis=0)).all()


@pytest.mark.parametrize(
    ("name", "directions"),
    [
        ("grey", 4),
        ("sepia", 4),
        ("nearly grey", 5),
        ("two equal channels", 8),
        ("a constant channel", 8),
        ("one channel", 4),
        ("each of one colour", 3),
        ("each of one grey", 1),
    ],
)
def test_directions_without_variance_have_no_filter(name: str, directions: int) -> None:
    images = DEGENERATE[name].astype(np.uint8)
    statistics = channel_statistics(images)
    every = whitening_filters(images, statistics, 24)
    assert every.shape == (2, 2, 3, 2 * directions)
    few = whitening_filters(images, statistics, 8)
    kept = min(directions, 4)
    assert few.shape == (2, 2, 3, 2 * kept)
    assert np.array_equal(few[..., :kept], every[..., directions - kept : directions])


def test_images_that_are_all_the_same_colour_have_finite_filters() -> None:
    images = np.full((9, 8, 8, 3), (10, 20, 30), np.uint8)
    filters = whitening_filters(images, channel_statistics(images), 16)
    assert filters.shape == (2, 2, 3, 2)
    assert np.isfinite(filters).all()


SEPIA = np.array([[0.393, 0.769, 0.189], [0.349, 0.686, 0.168], [0.272, 0.534, 0.131]])


def in_sepia(images: np.ndarray) -> np.ndarray:
    """Return images in sepia by the usual matrix, whose bright pixels are cut off at 255."""
    return np.clip(np.rint(images @ SEPIA.T), 0, 255).astype(np.uint8)


def as_jpeg(images: np.ndarray, quality: int) -> np.ndarray:
    """Return images as they are read from JPEG files."""
    read = []
    for image in images:
        file = io.BytesIO()
        Image.fromarray(image).save(file, "JPEG", quality=quality)
        read.append(np.asarray(Image.open(file)))
    return np.stack(read)


@pytest.mark.parametrize("quality", [50, 75, 95, None])
@pytest.mark.parametrize("tone", ["sepia", "bright sepia"])
def test_one_tone_has_the_filters_of_whitening_10(tone: str, quality: int | None) -> None:
    images = in_sepia(GREY if tone == "sepia" else GREY + 40)
    images = images if quality is None else as_jpeg(images, quality)
    assert has_one_tone(images)
    statistics = channel_statistics(images)
    default, ten = (whitening_filters(images, statistics, number) for number in (16, 10))
    assert default.shape == (2, 2, 3, 10)
    assert np.array_equal(default, ten)


def test_a_faint_tint_of_images_of_one_tone_is_seen() -> None:
    """Else a network could not tell classes that differ in it: `whitening: 8` hides it."""
    tints = np.array([[3, 0, -3], [-3, 3, 0], [0, -3, 3]])
    labels = np.arange(len(GREY)) % 3
    images = np.clip(GREY + tints[labels][:, None, None], 0, 255).astype(np.uint8)
    images = as_jpeg(images, 90)
    assert has_one_tone(images)
    statistics = channel_statistics(images)

    def told(number: int) -> float:
        """Return by how many deviations the nearest two classes differ in what filters give."""
        filters = whitening_filters(images, statistics, number)
        scaled = (images - np.array(statistics.mean)) / np.array(statistics.scale)
        found = np.asarray(keras.ops.conv(scaled.astype("float32"), filters)).mean(axis=(1, 2))
        means = np.stack([found[labels == label].mean(axis=0) for label in range(3)])
        within = np.stack([found[labels == label].std(axis=0) for label in range(3)]).mean(axis=0)
        apart = [np.abs((means[a] - means[b]) / within).max() for a, b in ((0, 1), (1, 2), (2, 0))]
        return float(min(apart))

    assert told(16) > 10
    assert told(8) < 2


def test_colours_are_no_noise() -> None:
    images, _ = synthetic_split(200, 0)
    marked = np.rint(images.mean(axis=-1, keepdims=True)).astype(np.uint8).repeat(3, axis=-1)
    assert has_one_tone(marked)
    marked[::3, 4:7, 4:7] = (200, 30, 30)  # 0.3 % of the pixels
    for colours in (images, images[:6], marked):
        assert not has_one_tone(colours)
        filters = whitening_filters(colours, channel_statistics(colours), 16)
        assert filters.shape[-1] == 16
