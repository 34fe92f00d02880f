"""The autoencoder of 2017, the baseline: a convolution and dense layers, nothing is quantised.

Source: the notebook of the article that this project descends from (July 2017). Its 'controllable
loss' is the length of the code, its rate 32 bits for each number of it.
"""

from typing import Any, NamedTuple

import keras
from keras import layers, ops

from cifar_pipeline.codec.params import DenseNetwork

BITS_OF_A_NUMBER = 32
_KERNEL = 3


class DenseAutoencoder(NamedTuple):
    """Its two halves; pixels are float32 (n, H, W, 3) from 0 to 255.

    Attributes:
        encoder: pixels to codes, float32 (n, code_length) from -1 to 1.
        decoder: codes to pixels.
    """

    encoder: keras.Model
    decoder: keras.Model


def build_dense_autoencoder(
    params: DenseNetwork, image_shape: tuple[int, ...], precision: str
) -> DenseAutoencoder:
    """Return the untrained autoencoder for images of one shape, (H, W, 3).

    Kernels begin as Xavier's, as in 2017.
    """
    policy = "mixed_bfloat16" if precision == "bfloat16" else "float32"
    height, width, channels = image_shape
    inner = height - _KERNEL + 1, width - _KERNEL + 1, channels
    pixels = keras.Input(image_shape, dtype="float32", name="pixels")
    maps = layers.Rescaling(1 / 255, dtype=policy, name="scale")(pixels)
    maps = layers.Conv2D(
        params.filters, _KERNEL, activation="tanh", dtype=policy, name="convolution"
    )(maps)
    flat = layers.Flatten(dtype=policy, name="flat")(maps)
    codes = layers.Dense(params.code_length, activation="tanh", dtype=policy, name="code")(flat)
    encoder = keras.Model(pixels, layers.Activation("linear", dtype="float32")(codes))

    codes = keras.Input((params.code_length,), dtype="float32", name="codes")
    flat = layers.Dense(
        inner[0] * inner[1] * inner[2], activation="tanh", dtype=policy, name="dense"
    )(codes)
    maps = layers.Reshape(inner, dtype=policy, name="maps")(flat)
    scaled = layers.Conv2DTranspose(
        channels, _KERNEL, activation="sigmoid", dtype=policy, name="transposed_convolution"
    )(maps)
    decoder = keras.Model(codes, layers.Rescaling(255.0, dtype="float32", name="pixels")(scaled))
    return DenseAutoencoder(encoder, decoder)


def half_squared_error(pixels: Any, found: Any) -> Any:
    """Return half the sum of squared differences of each image, (n,), of pixels over 255."""
    difference = (ops.cast(found, "float32") - ops.cast(pixels, "float32")) / 255
    return 0.5 * ops.sum(ops.square(difference), axis=(1, 2, 3))
