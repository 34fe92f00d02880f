"""How much memory a training takes, estimated from the parameters alone, before anything is built.

Maps are what a step needs most of: they are kept for the way back. Convolutions by Fourier
transforms keep their spectra as well, and those with large kernels the matrices that transform
these; a direct one writes the windows of a large kernel out, image by image. The factors were
fitted to the greatest resident memory of whole runs in float32 on a CPU with TensorFlow 2.21
(docs/log.md): the estimates are within 20 % of it. A processor that computes in bfloat16 needs up
to a quarter less.
"""

from collections.abc import Iterator
from typing import NamedTuple

from cifar_pipeline.common.errors import ParamsError
from cifar_pipeline.common.memory import Memory, available_memory, gigabytes
from cifar_pipeline.fourier.matrices import (
    fourier_saves_time,
    matrix_numbers,
    out_side,
    products,
)
from cifar_pipeline.params.network import Block
from cifar_pipeline.params.presets import ModelParams

_PROCESS = 900_000_000  # Python, TensorFlow and its graph
_OF_WEIGHTS = 6.5 * 4  # gradients, the optimizer's, the best ones, a checkpoint that is written
_OF_MAPS = 1.25 * 4  # float32, and what the allocator holds between them
_OF_KERNEL_MATRICES = 60  # float64, its making, and what TensorFlow holds of it
_QUEUED = 10  # batches of pixels that are made ahead
_NEAR, _FAR = 0.8, 2.0


class Part(NamedTuple):
    """A part of a network.

    Attributes:
        key: the parameter of the preset that makes it large, such as `block1.filters`.
        weights: their number.
        maps: numbers of an image that a step keeps.
        spectra: likewise, those of Fourier transforms.
        once: bytes that do not depend on the number of images.
    """

    key: str
    weights: int
    maps: int
    spectra: int
    once: int = 0


def parts(params: ModelParams, side: int, classes: int, fourier: bool) -> Iterator[Part]:
    """Yield the parts of the network that trains on images of `side` pixels."""
    channels = 3
    if params.whitening_filters:
        side, channels = side - 1, params.whitening_filters
        yield Part("whitening", 0, side**2 * channels * 2, 0)
    for number in range(1, len(params.blocks) + 1):
        block = params.blocks[f"block{number}"]
        weights = maps = spectra = matrices = windows = 0
        for convolution in range(block.convolutions):
            weights += block.kernel_size**2 * channels * block.filters
            shape = (side, block.kernel_size, block.padding, channels, block.filters)
            if fourier and fourier_saves_time(*shape):
                spectra += products(*shape[:3]) * (channels + block.filters)
                matrices += _OF_KERNEL_MATRICES * matrix_numbers(*shape[:3])
            else:
                windows = max(windows, 4 * (side * block.kernel_size) ** 2 * channels)
            side, numbers = _after(side, block, convolution)
            maps += numbers * block.filters
            channels = block.filters
        yield Part(f"block{number}.filters", weights, maps, spectra)
        yield Part(f"block{number}.kernel_size", 0, 0, 0, matrices + windows)
    features = channels * (side**2 if params.head.pooling == "flatten" else 1)
    if units := params.head.dense_units:
        yield Part("head.dense_units", (features + 1) * units, 2 * units, 0)
        features = units
    yield Part("head", (features + 1) * classes, features + classes, 0)


def _after(side: int, block: Block, convolution: int) -> tuple[int, int]:
    """Return the side of maps behind a convolution, counted from 0, and numbers kept of each map.

    These are its own output, that of batch normalisation, and that of the activation.
    """
    side = out_side(side, block.kernel_size, block.padding)
    numbers = side**2
    if convolution == 0 and block.pooling_after == "first":
        side //= block.pooling
        numbers += side**2 if block.pooling > 1 else 0
    numbers += side**2 * (1 + block.batch_normalization)
    if convolution == block.convolutions - 1 and block.pooling_after == "last":
        side //= block.pooling
    return side, numbers


class Estimate(NamedTuple):
    """An estimate of the memory of a training.

    Attributes:
        bytes: of the process, at most.
        key: the parameter of the preset that takes the largest part, `batch_size` aside.
        batch_size: images of a step.
    """

    bytes: float
    key: str
    batch_size: int


def estimate_memory(
    params: ModelParams, side: int, images: int, classes: int, fourier: bool
) -> Estimate:
    """Return how much memory a training on a CPU takes at most.

    The images themselves do not count: the system reads and drops them as it has room.

    Args:
        params: the preset.
        side: of the images, in pixels.
        images: how many there are.
        classes: their number.
        fourier: whether convolutions are done by Fourier transforms where these save time.
    """
    batch = min(params.batch_size, images)

    def size(part: Part) -> float:
        images = _OF_MAPS * batch * (part.maps + part.spectra)
        return _OF_WEIGHTS * part.weights + images + part.once

    every = list(parts(params, side, classes, fourier))
    pixels = _QUEUED * batch * side**2 * 3
    largest = max((part for part in every if "." in part.key), key=size)
    return Estimate(_PROCESS + sum(map(size, every)) + pixels, largest.key, batch)


def look_at_memory(
    params: ModelParams, side: int, images: int, classes: int, fourier: bool, where: str
) -> str | None:
    """Return `warning_of_memory` of `estimate_memory` for this machine."""
    estimate = estimate_memory(params, side, images, classes, fourier)
    return warning_of_memory(estimate, available_memory(), where)


def warning_of_memory(estimate: Estimate, memory: Memory | None, where: str) -> str | None:
    """Return a line on a training that takes nearly all memory or more; None where there is room.

    Args:
        estimate: of the training.
        memory: of this machine; None: not known.
        where: the preset stands, for messages.

    Raises:
        ParamsError: it takes far more than there is.
    """
    if memory is None or estimate.bytes < _NEAR * memory.free:
        return None
    line = (
        f"{where}.{estimate.key}: about {gigabytes(estimate.bytes)} while training at batch_size "
        f"{estimate.batch_size:,}; {memory}; lower it"
        f"{'' if estimate.key.endswith('kernel_size') else ', or batch_size'}"
    )
    if estimate.bytes > _FAR * memory.total + memory.swap:
        raise ParamsError(line)
    return line
