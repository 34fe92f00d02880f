"""SGD with Nesterov momentum and a learning rate of its own for offsets; and with Lookahead."""

from typing import Any

import keras
from keras import ops


class BiasRateSGD(keras.optimizers.SGD):
    """SGD with Nesterov momentum whose biases and offsets have another learning rate.

    Args:
        learning_rate: of weights; a float or a schedule. The other rates follow it.
        momentum: of everything.
        weight_decay: decoupled, or None.
        bias_ratio: learning rate of biases and batch normalisation's offsets, as a multiple.
    """

    def __init__(
        self,
        learning_rate: Any,
        momentum: float,
        weight_decay: float | None,
        bias_ratio: float,
        **options: Any,
    ) -> None:
        super().__init__(
            learning_rate,
            momentum=momentum,
            nesterov=momentum > 0,
            weight_decay=weight_decay,
            **options,
        )
        self.bias_ratio = bias_ratio

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Update `variable` by one step against `gradient`."""
        rate = learning_rate * self.bias_ratio if len(variable.shape) == 1 else learning_rate
        super().update_step(gradient, variable, rate)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments, as Keras asks of an optimizer."""
        config = {**super().get_config(), "bias_ratio": self.bias_ratio}
        del config["nesterov"]  # follows from the momentum
        return config


class LookaheadSGD(BiasRateSGD):
    """The same, with weights that become an average of themselves at times.

    Every `interval` steps each weight becomes a mean of itself and of what it became the last time;
    the latter has the share `share` * (progress of the run)**3, so that it counts late in the run.

    Source: Zhang et al., "Lookahead Optimizer: k steps forward, 1 step back", 2019; the share is
    airbench94's (Jordan, "94% on CIFAR-10 in 3.29 Seconds on a Single GPU", 2024, section 3.4).

    Args:
        learning_rate: of weights; a float or a schedule. The other rates follow it.
        momentum: of everything.
        weight_decay: decoupled, or None.
        bias_ratio: learning rate of biases and batch normalisation's offsets, as a multiple.
        steps: of the whole run.
        interval: steps from one average to the next; 0: no averages.
        share: of the former average in that at the end of the run.
    """

    def __init__(
        self,
        learning_rate: Any,
        momentum: float,
        weight_decay: float | None,
        bias_ratio: float,
        steps: int,
        interval: int,
        share: float = 0.95**5,
        **options: Any,
    ) -> None:
        super().__init__(learning_rate, momentum, weight_decay, bias_ratio, **options)
        self.steps, self.interval, self.share = steps, interval, share

    def build(self, variables: list[Any]) -> None:
        """Create momentum and average of each variable."""
        if self.built:
            return
        super().build(variables)
        if self.interval:
            self.averages = self.add_optimizer_variables(variables, "average")
            for average, variable in zip(self.averages, variables, strict=True):
                average.assign(ops.copy(variable))  # JAX would take the very same memory

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Update `variable` by one step against `gradient`, and its average if one is due."""
        super().update_step(gradient, variable, learning_rate)
        if not self.interval:
            return
        average = self.averages[self._get_variable_index(variable)]
        step = self.iterations + 1
        due = ops.equal(step % self.interval, 0)
        share = self.share * (ops.cast(step, "float32") / self.steps) ** 3
        values, former = ops.convert_to_tensor(variable), ops.convert_to_tensor(average)
        mean = values + share * (former - values)
        self.assign(variable, ops.where(due, mean, values))
        self.assign(average, ops.where(due, mean, former))

    def get_config(self) -> dict[str, Any]:
        """Return the arguments, as Keras asks of an optimizer."""
        own = {"steps": self.steps, "interval": self.interval, "share": self.share}
        return {**super().get_config(), **own}
