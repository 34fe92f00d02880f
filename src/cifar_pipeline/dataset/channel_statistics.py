"""Per-channel statistics of the training images."""

import json
from pathlib import Path

import numpy as np
from pydantic import BaseModel

from cifar_pipeline.common.atomic import replacing
from cifar_pipeline.common.checksums import check_manifest, reading
from cifar_pipeline.dataset.npy_files import parts_of

STATISTICS = "statistics.json"
_CONSTANT = 0.01  # of the greatest deviation; below half a grey level in photographs: rounding


class ChannelStatistics(BaseModel):
    """Mean and standard deviation of the red, green and blue pixels, on the scale 0-255."""

    mean: tuple[float, float, float]
    standard_deviation: tuple[float, float, float]

    @property
    def scale(self) -> tuple[float, float, float]:
        """What normalisation divides each channel by: its standard deviation.

        A channel that is constant but for noise, with a deviation below 1 % of the greatest one, is
        divided by 255: noise stays small, and any value in a later image is within -1 and 1.
        """
        least = _CONSTANT * max(self.standard_deviation)
        red, green, blue = (
            deviation if deviation > least else 255.0 for deviation in self.standard_deviation
        )
        return red, green, blue


def channel_statistics(images: np.ndarray) -> ChannelStatistics:
    """Return the statistics of uint8 images (N, H, W, 3).

    They come from integer sums of pixels and of squared pixels, so that no order of additions and
    no processor can change them.
    """
    every_count = np.zeros((3, 256), np.int64)
    for part in parts_of(images):
        for channel in range(3):
            values = images[part][..., channel].reshape(-1)
            every_count[channel] += np.bincount(values, minlength=256)
    mean, deviation = [], []
    for counts in every_count.tolist():
        number = sum(counts)
        total = sum(count * value for value, count in enumerate(counts))
        squares = sum(count * value * value for value, count in enumerate(counts))
        mean.append(total / number)
        # The variance as one quotient of integers: exact until the division.
        deviation.append(((number * squares - total * total) / number**2) ** 0.5)
    return ChannelStatistics(mean=tuple(mean), standard_deviation=tuple(deviation))  # type: ignore[arg-type]  # three channels


def write_statistics(folder: Path, statistics: ChannelStatistics) -> None:
    """Write the statistics into `folder`."""
    with replacing(folder / STATISTICS) as temporary:
        temporary.write_text(json.dumps(statistics.model_dump(), indent=2) + "\n", encoding="utf-8")


def load_statistics(folder: Path) -> ChannelStatistics:
    """Return the statistics in `folder`, once verified; errors as `check_manifest`."""
    check_manifest(folder, [STATISTICS], "preprocess")
    with reading(folder / STATISTICS):
        return ChannelStatistics.model_validate_json((folder / STATISTICS).read_bytes())
