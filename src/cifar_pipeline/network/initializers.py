"""Initial values of convolution kernels."""

from typing import Any

import keras
import numpy as np


class DiracUniform(keras.initializers.Initializer):
    """The first filters pass their input channel on; the rest are uniform, variance 1 / (3 fan-in).

    Source: airbench94 (Jordan, 2024, section 3.3); kernels are (rows, columns, inputs, filters).
    """

    def __call__(self, shape: tuple[int, ...], dtype: Any = None) -> Any:
        """Return a kernel of `shape`."""
        rows, columns, inputs, filters = shape
        bound = 1 / np.sqrt(rows * columns * inputs)
        kernel = np.array(keras.random.uniform(shape, -bound, bound))
        passed = np.arange(min(inputs, filters))
        kernel[..., passed] = 0
        kernel[rows // 2, columns // 2, passed, passed] = 1
        return keras.ops.convert_to_tensor(kernel, dtype=dtype)
