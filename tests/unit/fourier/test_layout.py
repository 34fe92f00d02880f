"""Maps whose first axes are rows and columns."""

import keras
import numpy as np
import pytest

from cifar_pipeline.fourier.layout import as_batch_first, as_spatial_first, max_pooled
from networks import normal

ops = keras.ops


@pytest.mark.parametrize(("side", "size"), [(7, 2), (8, 2), (7, 3)])
def test_pooling_of_spatial_first_maps(side: int, size: int) -> None:
    maps = normal(3, side, side, 4)
    expected = np.array(ops.max_pool(maps, size, padding="valid"))
    symbolic = keras.Input((side, side, 4))
    pooled = as_batch_first(max_pooled(as_spatial_first(symbolic), size))
    network = keras.Model(symbolic, pooled)
    assert np.array_equal(np.array(network(maps)), expected)
