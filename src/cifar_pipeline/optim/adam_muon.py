"""Muon for convolution kernels, Adam for the rest: for networks whose kernels may begin as zero."""

from collections.abc import Iterable
from typing import Any

import keras
from keras import ops

from cifar_pipeline.optim.muon import orthogonalized

# The root mean square of a step of Adam, as a multiple of its learning rate.
_ADAM = 0.2


class AdamMuon(keras.optimizers.Adam):
    """Muon for convolution kernels, Adam for everything else.

    The step of a kernel has the root mean square of one of Adam's at the same learning rate.
    Source: Liu et al., 'Muon is scalable for LLM training', 2025, section 2.2.

    Args:
        learning_rate: of everything but kernels; a float or a schedule.
        kernel_ratio: learning rate of kernels, as a multiple of `learning_rate`.
        kernel_momentum: of kernels.
        precision: "float32" or "bfloat16", in which steps are made orthogonal.
        options: of Keras' Adam.
    """

    def __init__(
        self,
        learning_rate: Any,
        kernel_ratio: float,
        kernel_momentum: float,
        precision: str = "float32",
        **options: Any,
    ) -> None:
        super().__init__(learning_rate, **options)
        self.kernel_ratio, self.kernel_momentum = kernel_ratio, kernel_momentum
        self.precision = precision
        self._adams: frozenset[str] = frozenset()

    def leave_to_adam(self, layers: Iterable[str]) -> None:
        """Leave the kernels of the layers of these names to Adam."""
        self._adams = frozenset(layers)

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Update `variable` by one step against `gradient`."""
        # Keras hands over TensorFlow's own variable, which has no path.
        path = self._trainable_variables[self._get_variable_index(variable)].path
        if len(variable.shape) == 4 and not self._adams & set(path.split("/")):
            self._update_kernel(gradient, variable, learning_rate * self.kernel_ratio)
        else:
            super().update_step(gradient, variable, learning_rate)

    def _update_kernel(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        velocity = self._momentums[self._get_variable_index(variable)]
        self.assign(velocity, self.kernel_momentum * velocity + gradient)
        nesterov = gradient + self.kernel_momentum * velocity
        matrix = ops.reshape(nesterov, (-1, variable.shape[-1]))
        step = ops.reshape(orthogonalized(matrix, self.precision), variable.shape)
        size = _ADAM * max(matrix.shape) ** 0.5
        self.assign_sub(variable, learning_rate * size * step)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments, as Keras asks of an optimizer."""
        own = {
            "kernel_ratio": self.kernel_ratio,
            "kernel_momentum": self.kernel_momentum,
            "precision": self.precision,
        }
        return {**super().get_config(), **own}
