"""What is trained: the networks of a codec with noise in place of rounding, and the loss."""

from typing import Any

import keras
from keras import ops

from cifar_pipeline.codec.network import CodecNetworks
from cifar_pipeline.codec.prior import LogisticMixture

OUTPUTS = RATE, ERROR = 0, 1


class RateDistortion(keras.Model):
    """From pixels and levels to bits per pixel and squared errors.

    In training the rate is that of latents with uniform noise, which has a gradient, and the
    decoder gets rounded ones, whose gradient goes through as if nothing had been rounded. Source:
    Minnen and Singh, 'Channel-wise autoregressive entropy models', ICIP 2020, section 3.
    Otherwise both are of rounded latents.

    Args:
        networks: of the codec.
        prior: of its latents.
        seed: of the noise.
    """

    def __init__(self, networks: CodecNetworks, prior: LogisticMixture, seed: int) -> None:
        super().__init__(name="rate_distortion")
        self.encoder, self.gains, self.decoder = networks
        self.prior = prior
        self.noise = keras.random.SeedGenerator(seed)

    def call(self, inputs: tuple[Any, Any], training: bool = False) -> Any:
        """Return rates in bits per pixel and mean squared errors, float32 (n, 2).

        Args:
            inputs: pixels (n, H, W, 3) from 0 to 255, and levels, integers (n,).
            training: with noise.
        """
        pixels, levels = inputs
        pixels = ops.cast(pixels, "float32")
        gains = self.gains(levels)
        latents = self.encoder(pixels) * gains
        rounded = latents + ops.stop_gradient(ops.round(latents) - latents)
        coded = rounded
        if training:
            coded = latents + keras.random.uniform(ops.shape(latents), -0.5, 0.5, seed=self.noise)
        bits = ops.sum(self.prior(coded, gains), axis=(1, 2, 3))
        area = pixels.shape[1] * pixels.shape[2]
        error = ops.mean(ops.square(self.decoder([rounded, levels]) - pixels), axis=(1, 2, 3))
        return ops.stack([bits / area, error], axis=1)


def weighted_loss(lambdas: Any, outputs: Any) -> Any:
    """Return bits per pixel + lambda * squared error, (n,), of lambdas (n, 1)."""
    return outputs[:, RATE] + lambdas[:, 0] * outputs[:, ERROR]


def bits_per_pixel(_lambdas: Any, outputs: Any) -> Any:
    """Return the rates, (n,), for the history."""
    return outputs[:, RATE]


def squared_error(_lambdas: Any, outputs: Any) -> Any:
    """Return the mean squared errors, (n,), for the history."""
    return outputs[:, ERROR]
