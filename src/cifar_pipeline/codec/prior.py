"""The distribution of latents in training: for each channel a mixture of logistic distributions.

It gives the rate of the loss. Files are coded by integer tables that are fitted after the training.
"""

import math
from typing import Any

import keras
import numpy as np
from keras import ops

# Of the logistic distributions at first, in deviations of the latents: more weight than a normal
# distribution has both at the centre and far from it.
_NARROWEST, _WIDEST = 0.16, 1.0
_LEAST_DEVIATION = 1e-3
# The optimizer's steps are made for the networks; the prior's may be so much longer.
_PACE = 5.0
_LEAST_PROBABILITY = 1e-9  # no symbol costs more than 30 bits


class LogisticMixture(keras.layers.Layer):
    """The bits of latents, of a factorised prior with one distribution for each channel.

    A gain scales the latents, so one prior serves all gains: a symbol v with the gain g has the
    probability F((v + 1/2) / g) - F((v - 1/2) / g).
    Source: Balle et al., 'Variational image compression with a scale hyperprior', ICLR 2018,
    equation (29); a mixture in place of their network.

    Args:
        deviation: of the latents before training, float32 (channels,).
        components: distributions of each mixture.
    """

    def __init__(self, deviation: np.ndarray, components: int, **options: Any) -> None:
        super().__init__(dtype="float32", **options)
        scales = np.geomspace(_NARROWEST, _WIDEST, components)[:, None]
        logs = np.log(scales * np.maximum(deviation, _LEAST_DEVIATION))
        self._initial_scales = (logs / _PACE).astype(np.float32)

    def build(self, _shape: Any) -> None:
        """Create the variables, each (components, channels)."""
        shape = self._initial_scales.shape
        self.logits = self.add_weight(shape=shape, initializer="zeros", name="logits")
        self.means = self.add_weight(shape=shape, initializer="zeros", name="means")
        self.log_scales = self.add_weight(
            shape=shape,
            initializer=lambda _shape, dtype=None: ops.convert_to_tensor(
                self._initial_scales, dtype
            ),
            name="log_scales",
        )

    def call(self, symbols: Any, gains: Any) -> Any:
        """Return the bits of `symbols`, float32 (n, h, w, channels).

        Args:
            symbols: latents times gains, rounded or with noise, float32 (n, h, w, channels).
            gains: float32 (n, 1, 1, channels).
        """
        weights = ops.softmax(_PACE * self.logits, axis=0)
        means = _PACE * self.means
        inverse_scales = ops.exp(-_PACE * self.log_scales)
        half = 0.5 / gains
        probability: Any = 0.0
        for number in range(self._initial_scales.shape[0]):
            # The same on both sides of the mean, where both sigmoids are small: no digits cancel.
            distance = ops.abs(symbols / gains - means[number])
            upper = ops.sigmoid((half - distance) * inverse_scales[number])
            lower = ops.sigmoid((-half - distance) * inverse_scales[number])
            probability = probability + weights[number] * (upper - lower)
        return -ops.log(ops.maximum(probability, _LEAST_PROBABILITY)) / math.log(2)
