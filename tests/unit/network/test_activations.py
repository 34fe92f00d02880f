"""Activations whose gradient is written by hand."""

import keras
import numpy as np
import pytest

from cifar_pipeline.network.activations import silu
from networks import normal, values_and_gradients

ops = keras.ops


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_silu_and_its_gradient(dtype: str) -> None:
    values = np.linspace(-20, 20, 1000, dtype=np.float32)
    upstream = normal(1000)

    def in_dtype(activation):
        return lambda values: ops.cast(activation(ops.cast(values, dtype)), "float32")

    (results, gradients), expected = (
        values_and_gradients(in_dtype(activation), [values], upstream)
        for activation in (silu, keras.activations.silu)
    )
    assert np.array_equal(results, expected[0])
    assert np.abs(gradients - expected[1]).max() < {"float32": 1e-5, "bfloat16": 0.05}[dtype]
