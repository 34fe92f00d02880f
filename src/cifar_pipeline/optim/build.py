"""The optimizer of a preset."""

import keras

from cifar_pipeline.optim.muon import ConvolutionMuon
from cifar_pipeline.optim.schedules import build_schedule
from cifar_pipeline.optim.sgd import LookaheadSGD
from cifar_pipeline.params.optimizers import Adam, Muon
from cifar_pipeline.params.presets import ModelParams


def build_optimizer(params: ModelParams, steps: int, precision: str) -> keras.optimizers.Optimizer:
    """Return the optimizer of a preset for a run of `steps` steps in `precision`.

    The weight decay of Adam and Muon leaves biases and the offsets of batch normalisation alone.
    """
    choice = params.optimizer
    schedule = build_schedule(params.schedule, choice.learning_rate, steps)
    decay = choice.weight_decay or None
    if isinstance(choice, Adam):
        optimizer = keras.optimizers.Adam(schedule, weight_decay=decay)
    elif isinstance(choice, Muon):
        optimizer = ConvolutionMuon(
            schedule,
            momentum=choice.momentum,
            weight_decay=decay,
            kernel_ratio=choice.kernel_learning_rate / choice.learning_rate,
            kernel_momentum=choice.kernel_momentum,
            bias_ratio=choice.bias_learning_rate / choice.learning_rate,
            precision=precision,
        )
    else:  # as airbench94, whose offsets decay as everything else does
        return LookaheadSGD(
            schedule,
            momentum=choice.momentum,
            weight_decay=decay,
            bias_ratio=choice.bias_learning_rate / choice.learning_rate,
            steps=steps,
            interval=choice.lookahead,
        )
    optimizer.exclude_from_weight_decay(var_names=["bias", "beta"])
    return optimizer
