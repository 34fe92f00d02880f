"""The transform that is trained: an encoder, a decoder and gains, in plain Keras layers.

The encoder is a linear transform of blocks, which begins as their KLT, and a residual network
beside it, which begins as zero. The decoder mirrors both. So a training begins where a good linear
codec stands. All of it is convolutional: images of any size that is a multiple of the block's.

A level of quality multiplies the latents by a gain for each channel before they are rounded, and by
another one before they are decoded. Source: Cui et al., 'Asymmetric Gained Deep Image Compression
With Continuous Rate Adaptation', CVPR 2021.
"""

import math
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import layers

from cifar_pipeline.codec.klt import BlockTransform
from cifar_pipeline.codec.params import TransformNetwork

LEVELS = 256
# The layers that begin as the KLT.
TRANSFORM_LAYERS = _FORWARD, _BACKWARD = "transform", "inverse_transform"
_STEP = 4  # pixels from one place of the residual networks' maps to the next
_KERNEL = 2 * _STEP  # of the convolutions between pixels and these maps: they overlap
GREY_LEVELS = 64.0  # one unit of the latents, so that they are about 1
_SMALL = 0.1  # initial variance of a residual block's output


class CodecNetworks(NamedTuple):
    """The parts of a codec with a network; n images, latents (n, h, w, channels), float32.

    Attributes:
        encoder: pixels (n, H, W, 3), from 0 to 255, to latents.
        gains: levels, integers (n,) from 0 to 255, to positive factors (n, 1, 1, channels).
        decoder: latents times gains, and levels, to pixels, neither rounded nor clipped.
    """

    encoder: keras.Model
    gains: keras.Model
    decoder: keras.Model


def lambdas(params: TransformNetwork) -> np.ndarray:
    """Return the weight of the squared error for each level, float32 (256,).

    The loss is bits per pixel + lambda * mean squared error, of pixels from 0 to 255.
    """
    return np.geomspace(params.lambda_min, params.lambda_max, LEVELS).astype(np.float32)


def build_networks(
    params: TransformNetwork, transform: BlockTransform, precision: str
) -> CodecNetworks:
    """Return the untrained parts of a codec.

    Args:
        params: their dimensions.
        transform: of the training images' blocks.
        precision: "float32" or "bfloat16", of the residual networks; weights are float32 in both,
            as are the linear transform and the gains.
    """
    builder = _Builder(params, transform, precision)
    return CodecNetworks(builder.encoder(), builder.gains(), builder.decoder())


def initial_log_gains(params: TransformNetwork) -> np.ndarray:
    """Return log(1 / step) at the knots, float32 (knots,), in units of the layers.

    At high rates a step D of the quantiser costs a squared error of D^2 / 12, and each of the three
    numbers of a pixel -log2(D) bits: bits + lambda * error is least at D^2 = 18 / (lambda ln 2).
    """
    weights = np.geomspace(params.lambda_min, params.lambda_max, params.knots)
    steps = np.sqrt(18 / (weights * math.log(2))) / GREY_LEVELS
    return -np.log(steps).astype(np.float32)


def _interpolation(knots: int) -> np.ndarray:
    """Return how much each knot counts for each level, float32 (256, knots)."""
    places = np.arange(LEVELS) / (LEVELS - 1) * (knots - 1)
    return np.maximum(0, 1 - np.abs(places[:, None] - np.arange(knots))).astype(np.float32)


def _with_weights(network: keras.Model, initial: dict[str, np.ndarray]) -> keras.Model:
    """Return `network` with initial weights, by the names of layers of one weight.

    An initializer of our own would be no plain Keras in the saved model.
    """
    for name, values in initial.items():
        network.get_layer(name).set_weights([values])
    return network


class _Builder:
    def __init__(self, params: TransformNetwork, transform: BlockTransform, precision: str) -> None:
        self._params, self._transform = params, transform
        self._policy = "mixed_bfloat16" if precision == "bfloat16" else "float32"
        self._log_gains = np.tile(initial_log_gains(params)[:, None], params.channels)

    def encoder(self) -> keras.Model:
        """Return the encoder. It knows of no level, so one call of it serves all of them."""
        params, size = self._params, self._params.block_size
        pixels = keras.Input((None, None, 3), dtype="float32", name="pixels")
        scaled = layers.Rescaling(
            1 / GREY_LEVELS, offset=list(-self._transform.mean / GREY_LEVELS), name="scale"
        )(pixels)
        linear = layers.Conv2D(
            params.channels,
            size,
            strides=size,
            use_bias=False,
            name=_FORWARD,
        )(scaled)
        maps = self._to_maps(scaled, "encoder")
        maps = self._residual_blocks(maps, "encoder", None)
        stride = size // _STEP
        correction = layers.Conv2D(
            params.channels,
            max(3, stride + 1),
            strides=stride,
            padding="same",
            kernel_initializer="zeros",
            dtype=self._policy,
            name="encoder_out",
        )(maps)
        latents = layers.Add(dtype="float32", name="latents")([linear, correction])
        encoder = keras.Model(pixels, latents, name="encoder")
        return _with_weights(encoder, {_FORWARD: self._transform.kernel})

    def gains(self) -> keras.Model:
        """Return the gains of the encoder."""
        levels = keras.Input((), dtype="int32", name="levels")
        gains = self._gains(self._at_knots(levels), "gains")
        network = keras.Model(levels, gains, name="gains")
        initial = {"knots": _interpolation(self._params.knots), "log_gains": self._log_gains}
        return _with_weights(network, initial)

    def decoder(self) -> keras.Model:
        """Return the decoder, with the inverse gains in it."""
        params, size = self._params, self._params.block_size
        symbols = keras.Input((None, None, params.channels), dtype="float32", name="symbols")
        levels = keras.Input((), dtype="int32", name="levels")
        at_knots = self._at_knots(levels)
        latents = layers.Multiply(name="latents")([symbols, self._gains(at_knots, "inverse_gains")])
        linear = layers.Conv2DTranspose(
            3,
            size,
            strides=size,
            use_bias=False,
            name=_BACKWARD,
        )(latents)
        maps = self._to_maps(linear, "decoder")
        maps = self._residual_blocks(maps, "decoder", at_knots)
        correction = layers.Conv2DTranspose(
            3,
            _KERNEL,
            strides=_STEP,
            padding="same",
            kernel_initializer="zeros",
            dtype=self._policy,
            name="decoder_out",
        )(maps)
        scaled = layers.Add(dtype="float32", name="scaled")([linear, correction])
        pixels = layers.Rescaling(GREY_LEVELS, offset=list(self._transform.mean), name="pixels")(
            scaled
        )
        initial = {
            _BACKWARD: self._transform.kernel,
            "knots": _interpolation(params.knots),
            "log_inverse_gains": -self._log_gains,
        }
        return _with_weights(keras.Model([symbols, levels], pixels, name="decoder"), initial)

    def _at_knots(self, levels: Any) -> Any:
        """Return how much each knot counts, float32 (n, knots)."""
        knots = self._params.knots
        return layers.Embedding(
            LEVELS,
            knots,
            trainable=False,
            name="knots",
        )(levels)

    def _gains(self, at_knots: Any, name: str) -> Any:
        channels = self._params.channels
        logs = layers.Dense(channels, use_bias=False, name=f"log_{name}")(at_knots)
        factors = layers.Activation("exponential", name=name)(logs)
        return layers.Reshape((1, 1, channels), name=f"{name}_of_places")(factors)

    def _to_maps(self, pixels: Any, name: str) -> Any:
        return layers.Conv2D(
            self._params.filters,
            _KERNEL,
            strides=_STEP,
            padding="same",
            dtype=self._policy,
            name=f"{name}_in",
        )(pixels)

    def _residual_blocks(self, maps: Any, name: str, at_knots: Any) -> Any:
        """Return maps after all blocks; `at_knots` scales them within a block, where given."""
        filters = self._params.filters
        for number in range(1, self._params.residual_blocks + 1):
            block = f"{name}_block{number}"
            inner = self._activated(maps, f"{block}_act1")
            inner = layers.Conv2D(
                filters, 3, padding="same", dtype=self._policy, name=f"{block}_conv1"
            )(inner)
            inner = self._activated(inner, f"{block}_act2")
            inner = self._scaled(inner, at_knots, f"{block}_scale")
            inner = layers.Conv2D(
                filters,
                1,
                kernel_initializer=keras.initializers.VarianceScaling(_SMALL),
                dtype=self._policy,
                name=f"{block}_conv2",
            )(inner)
            maps = layers.Add(dtype=self._policy, name=block)([maps, inner])
        maps = self._activated(maps, f"{name}_act")
        return self._scaled(maps, at_knots, f"{name}_scale")

    def _activated(self, maps: Any, name: str) -> Any:
        return layers.Activation("silu", dtype=self._policy, name=name)(maps)

    def _scaled(self, maps: Any, at_knots: Any, name: str) -> Any:
        """Return maps times factors that depend on the level, 1 at first."""
        if at_knots is None:
            return maps
        filters = self._params.filters
        factors = layers.Dense(filters, use_bias=False, kernel_initializer="ones", name=name)(
            at_knots
        )
        factors = layers.Reshape((1, 1, filters), name=f"{name}_of_places")(factors)
        return layers.Multiply(dtype=self._policy, name=f"{name}d")([maps, factors])
