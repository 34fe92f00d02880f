"""The optimizer of a preset."""

import keras

from cifar_pipeline.params.models import ModelParams
from cifar_pipeline.schedule import build_schedule


def build_optimizer(params: ModelParams, steps: int) -> keras.optimizers.Optimizer:
    """Return the optimizer of a preset for a run of `steps` steps.

    Weight decay leaves biases and the offsets of batch normalisation alone.
    """
    choice = params.optimizer
    schedule = build_schedule(params.schedule, choice.learning_rate, steps)
    decay = choice.weight_decay or None
    if choice.name == "adam":
        optimizer = keras.optimizers.Adam(schedule, weight_decay=decay)
    else:
        optimizer = keras.optimizers.SGD(
            schedule, momentum=choice.momentum, nesterov=choice.momentum > 0, weight_decay=decay
        )
    optimizer.exclude_from_weight_decay(var_names=["bias", "beta"])
    return optimizer
