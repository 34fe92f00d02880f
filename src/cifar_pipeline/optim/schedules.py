"""Learning rates over the steps of a run.

A new one is a schema in params/schedules.py and a builder here.
"""

from typing import Any, Final

import keras
from keras import ops

from cifar_pipeline.optim.lookup import Builders, builder_of
from cifar_pipeline.params import schedules as schemas


class OneCycle(keras.optimizers.schedules.LearningRateSchedule):
    """A linear rise to the peak, then a linear fall.

    Args:
        peak: the highest learning rate.
        steps: steps of the whole run.
        warmup: fraction of the steps that the rise takes.
        start: first rate, as a fraction of the peak.
        end: rate after the last step, as a fraction of the peak.
    """

    def __init__(self, peak: float, steps: int, warmup: float, start: float, end: float) -> None:
        super().__init__()
        self.peak, self.steps, self.warmup = peak, steps, warmup
        self.start, self.end = start, end

    def __call__(self, step: Any) -> Any:
        """Return the learning rate at `step`, counted from 0; a float32 tensor."""
        # Keeps falling to `end` and stays there when a run is longer than planned.
        progress = ops.minimum(ops.cast(step, "float32") / self.steps, 1.0)
        rise = self.start + (1 - self.start) * progress / max(self.warmup, 1e-9)
        fall = 1 - (1 - self.end) * (progress - self.warmup) / (1 - self.warmup)
        return self.peak * ops.where(progress < self.warmup, rise, fall)

    def get_config(self) -> dict[str, float]:
        """Return the arguments, as Keras asks of a schedule."""
        return {
            "peak": self.peak,
            "steps": self.steps,
            "warmup": self.warmup,
            "start": self.start,
            "end": self.end,
        }


def _constant(_choice: schemas.Constant, learning_rate: float, _steps: int) -> Any:
    return learning_rate


def _inverse_time(choice: schemas.InverseTime, learning_rate: float, _steps: int) -> Any:
    return keras.optimizers.schedules.InverseTimeDecay(learning_rate, 1, choice.decay_rate)


def _one_cycle(choice: schemas.OneCycle, learning_rate: float, steps: int) -> Any:
    return OneCycle(learning_rate, steps, choice.warmup, choice.start, choice.end)


def _staircase(choice: schemas.Staircase, learning_rate: float, _steps: int) -> Any:
    return keras.optimizers.schedules.ExponentialDecay(
        learning_rate, choice.decay_steps, choice.decay_rate, staircase=True
    )


# From each schema of params/schedules.py to a function of its instance, the rate and the steps.
SCHEDULES: Final[Builders] = {
    schemas.Constant: _constant,
    schemas.InverseTime: _inverse_time,
    schemas.OneCycle: _one_cycle,
    schemas.Staircase: _staircase,
}


def build_schedule(choice: schemas.Schedule, learning_rate: float, steps: int) -> Any:
    """Return the schedule of `choice`: a Keras schedule, or the rate itself when constant.

    Args:
        choice: its kind and shape.
        learning_rate: the rate, or the peak of a one-cycle schedule.
        steps: steps of the whole run: steps an epoch times the largest number of epochs.
    """
    build = builder_of(choice, SCHEDULES, "optim/schedules.py: SCHEDULES")
    return build(choice, learning_rate, steps)
