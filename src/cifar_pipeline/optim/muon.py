"""Muon for convolutions: steps that are orthogonal matrices.

Source: Keller Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024, and
its use for CIFAR-10. Keras' own Muon leaves convolution kernels to Adam.
"""

from typing import Any

from keras import ops

from cifar_pipeline.optim.sgd import BiasRateSGD

# A quintic whose iteration drives singular values towards 1, steepest at 0.
_QUINTIC = (3.4445, -4.7750, 2.0315)
_ITERATIONS = 3


def orthogonalized(matrix: Any, precision: str = "float32") -> Any:
    """Return an approximation of U V^T for the float32 `matrix` U S V^T, by Newton-Schulz steps.

    Singular values of the result lie around 1 (0.5 to 1.5 where the input's are not tiny).

    A step multiplies X by a polynomial of X X^T, and that by its square. So the steps need no X,
    but the smaller of its two Gram matrices alone: a fraction of the operations for long matrices.

    Args:
        matrix: float32 (rows, columns).
        precision: "float32" or "bfloat16", of the two products that `matrix` itself is in. The
            steps between them are in float32.
    """
    rows, columns = matrix.shape
    long = rows > columns
    matrix = ops.cast(matrix, precision)
    transposed = ops.transpose(matrix)
    gram = ops.matmul(transposed, matrix) if long else ops.matmul(matrix, transposed)
    gram = ops.cast(gram, "float32")
    # The trace is the squared norm. By it, singular values are at most 1: the iteration converges.
    scale = 1 / (ops.sqrt(ops.trace(gram)) + 1e-7)
    gram = gram * ops.square(scale)
    first, third, fifth = _QUINTIC
    factors = identity = ops.eye(min(rows, columns))
    for step in range(_ITERATIONS):
        factor = first * identity + ops.matmul(third * identity + fifth * gram, gram)
        factors = ops.matmul(factors, factor) if step else factor
        if step < _ITERATIONS - 1:
            gram = ops.matmul(ops.matmul(factor, gram), factor)
    factors = ops.cast(factors * scale, precision)
    return ops.cast(ops.matmul(matrix, factors) if long else ops.matmul(factors, matrix), "float32")


class ConvolutionMuon(BiasRateSGD):
    """Muon for convolution kernels, SGD with Nesterov momentum for everything else.

    A kernel is reset to the norm sqrt(filters) before each step, so that its learning rate is the
    relative size of the step, and needs no weight decay.

    Args:
        learning_rate: of the dense layers; a float or a schedule. The other rates follow it.
        momentum: of everything but kernels.
        weight_decay: decoupled, of everything but kernels, or None.
        kernel_ratio: learning rate of convolution kernels, as a multiple of `learning_rate`.
        kernel_momentum: of convolution kernels.
        bias_ratio: learning rate of biases and batch normalisation's offsets, as a multiple.
        precision: "float32" or "bfloat16", in which steps are made orthogonal.
    """

    def __init__(
        self,
        learning_rate: Any,
        momentum: float,
        weight_decay: float | None,
        kernel_ratio: float,
        kernel_momentum: float,
        bias_ratio: float,
        precision: str = "float32",
        **options: Any,
    ) -> None:
        super().__init__(learning_rate, momentum, weight_decay, bias_ratio, **options)
        self.kernel_ratio = kernel_ratio
        self.kernel_momentum = kernel_momentum
        self.precision = precision

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Update `variable` by one step against `gradient`."""
        if len(variable.shape) == 4:
            self._update_kernel(gradient, variable, learning_rate * self.kernel_ratio)
        else:
            super().update_step(gradient, variable, learning_rate)

    def _use_weight_decay(self, variable: Any) -> bool:
        return len(variable.shape) != 4 and super()._use_weight_decay(variable)

    def _update_kernel(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        velocity = self.momentums[self._get_variable_index(variable)]
        self.assign(velocity, self.kernel_momentum * velocity + gradient)
        nesterov = gradient + self.kernel_momentum * velocity
        filters = variable.shape[-1]
        step = orthogonalized(ops.reshape(nesterov, (-1, filters)), self.precision)
        kernel = ops.convert_to_tensor(variable)
        kernel = kernel * (filters**0.5 / ops.sqrt(ops.sum(ops.square(kernel))))
        self.assign(variable, kernel - learning_rate * ops.reshape(step, variable.shape))

    def get_config(self) -> dict[str, Any]:
        """Return the arguments, as Keras asks of an optimizer."""
        own = {
            "kernel_ratio": self.kernel_ratio,
            "kernel_momentum": self.kernel_momentum,
            "precision": self.precision,
        }
        return {**super().get_config(), **own}
