"""The filters of the whitening convolution."""

import keras
import numpy as np
import pytest

from cifar_pipeline.dataset.channel_statistics import channel_statistics
from cifar_pipeline.network.whitening import whitening_filters
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
