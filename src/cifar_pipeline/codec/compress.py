"""Compress arrays and pictures into one file."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from cifar_pipeline.codec.container import MAGIC, Writer
from cifar_pipeline.codec.distortion import psnr, squared_errors
from cifar_pipeline.codec.index import BLOCK_BYTES
from cifar_pipeline.codec.inputs import Input, blocks_of
from cifar_pipeline.codec.model import Model
from cifar_pipeline.codec.targets import nearest_levels
from cifar_pipeline.common.atomic import replacing, writing
from cifar_pipeline.common.errors import PipelineError


@dataclass(frozen=True, kw_only=True)
class Target:
    """What the user wants of each image; one of the three.

    Attributes:
        quality: a level, from 0 to 255.
        bits_per_pixel: of the image in the file.
        psnr: in dB.
    """

    quality: int | None = None
    bits_per_pixel: float | None = None
    psnr: float | None = None


@dataclass
class Summary:
    """What became of all images, each number in their order.

    Attributes:
        pixels: of each image.
        bits: of each image in the file by the tables, its share of the index among them.
        estimate: the bits of all payloads by the tables.
        payload: the bytes of all payloads.
        size: the bytes of the file.
        squared_errors: the mean of each image.
        levels: of each image.
    """

    pixels: list[int] = field(default_factory=list)
    bits: list[float] = field(default_factory=list)
    estimate: float = 0
    payload: int = 0
    size: int = 0
    squared_errors: list[float] = field(default_factory=list)
    levels: list[int] = field(default_factory=list)

    @property
    def bits_per_pixel(self) -> float:
        """Of all images, from the bytes of the file."""
        return 8 * self.size / sum(self.pixels)

    @property
    def psnr(self) -> float:
        """In dB, of the mean squared error over all pixels."""
        pixels = np.array(self.pixels)
        error = np.average(self.squared_errors, weights=pixels)
        return float(psnr(error, 3 * int(pixels.sum())))

    @property
    def psnrs(self) -> np.ndarray:
        """In dB, of each image, float64 (N,)."""
        return psnr(np.array(self.squared_errors), 3 * np.array(self.pixels))

    @property
    def rates(self) -> np.ndarray:
        """The bits per pixel of each image, float64 (N,)."""
        return np.array(self.bits) / self.pixels


def compress(
    inputs: list[Input],
    output: Path,
    target: Target,
    model: Model,
    advance: Callable[[int], None] = lambda images: None,
) -> Summary:
    """Write the file `output` of all images, and return what became of them.

    Args:
        inputs: of `find_inputs`.
        output: a file of this command's is replaced when all is written.
        target: of each image.
        model: a transform and its tables.
        advance: is told how many images have been compressed since the last call.

    Raises:
        PictureError: one of the inputs cannot be read; `output` stays as it was.
        PipelineError: something else is there, or it cannot be written.
    """
    _require_replaceable(output)
    summary = Summary()
    with writing(output.parent), replacing(output) as temporary, temporary.open("wb") as file:
        writer = Writer(file, model.digest)
        for images in blocks_of(inputs):
            _compress_block(images, target, model, writer, summary)
            advance(len(images))
        writer.close(each.source for each in inputs)
        file.flush()
        summary.size = file.tell()
    return summary


def _require_replaceable(output: Path) -> None:
    """Refuse to replace anything but a file of this command's.

    Raises:
        PipelineError: something else is there.
    """
    if output.is_dir() or (output.is_file() and not _begins_as_ours(output)):
        raise PipelineError(
            f"{output} is in the way and no file of this command; move it away, or name another "
            "file with --output"
        )


def _begins_as_ours(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(MAGIC)) in (MAGIC, b"")


def _compress_block(
    images: np.ndarray, target: Target, model: Model, writer: Writer, summary: Summary
) -> None:
    """Write a block of images of one size, uint8 (n, H, W, 3)."""
    count, height, width, _ = images.shape
    features = model.features(images)
    beside = 8 + 8 * BLOCK_BYTES / count

    def rate(levels: np.ndarray) -> np.ndarray:
        bits = model.bits(model.transform.symbols(features, levels), levels)
        return (bits + beside) / (height * width)

    def errors(symbols: np.ndarray, levels: np.ndarray) -> np.ndarray:
        return squared_errors(images, model.pixels(symbols, levels, (height, width)))

    def quality(levels: np.ndarray) -> np.ndarray:
        symbols = model.transform.symbols(features, levels)
        return psnr(errors(symbols, levels), 3 * height * width)

    if target.bits_per_pixel is not None:
        levels = nearest_levels(rate, target.bits_per_pixel, count)
    elif target.psnr is not None:
        levels = nearest_levels(quality, target.psnr, count)
    else:
        levels = np.full(count, target.quality, np.uint8)
    symbols = model.transform.symbols(features, levels)
    payload, estimate = model.encode_and_estimate(symbols, levels)
    writer.add(payload, levels.tobytes(), height, width)
    summary.pixels += [height * width] * count
    summary.bits += (estimate + beside).tolist()
    summary.estimate += float(estimate.sum())
    summary.payload += len(payload)
    summary.squared_errors += errors(symbols, levels).tolist()
    summary.levels += levels.tolist()
