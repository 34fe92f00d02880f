"""Mean and standard deviation of each channel."""

from pathlib import Path

import numpy as np
import pytest

from cifar_pipeline.common.checksums import write_manifest
from cifar_pipeline.dataset.channel_statistics import (
    ChannelStatistics,
    channel_statistics,
    load_statistics,
    write_statistics,
)


def test_statistics_of_a_hand_worked_case() -> None:
    images = np.zeros((1, 2, 2, 3), np.uint8)
    images[..., 0] = [[0, 255], [0, 255]]
    images[..., 1] = 7
    images[0, 0, 0, 2] = 4
    statistics = channel_statistics(images)
    assert statistics.mean == (127.5, 7.0, 1.0)
    assert statistics.standard_deviation == pytest.approx((127.5, 0.0, 3**0.5))
    assert statistics.scale == pytest.approx((127.5, 255.0, 3**0.5))


def test_a_channel_of_noise_alone_is_scaled_as_a_constant_one() -> None:
    def scale(*deviations: float) -> tuple[float, ...]:
        return ChannelStatistics(mean=(0, 0, 0), standard_deviation=deviations).scale

    assert scale(63.0, 0.5, 62.0) == (63.0, 255.0, 62.0)
    assert scale(63.0, 0.7, 62.0) == (63.0, 0.7, 62.0)
    assert scale(0.3, 0.2, 0.001) == (0.3, 0.2, 255.0)  # dark images are scaled up
    assert scale(0.0, 0.0, 0.0) == (255.0, 255.0, 255.0)


def test_written_statistics_come_back_exactly(tmp_path: Path) -> None:
    statistics = channel_statistics(np.arange(96, dtype=np.uint8).reshape(2, 4, 4, 3))
    write_statistics(tmp_path, statistics)
    write_manifest(tmp_path)
    assert load_statistics(tmp_path) == statistics
