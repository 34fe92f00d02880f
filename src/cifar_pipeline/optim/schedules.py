"""Learning rates over the steps of a run."""

from typing import Any

import keras
from keras import ops

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


def build_schedule(params: schemas.Schedule, learning_rate: float, steps: int) -> Any:
    """Return the schedule of `params`: a Keras schedule, or the rate itself when constant.

    Args:
        params: its kind and shape.
        learning_rate: the rate, or the peak of a one-cycle schedule.
        steps: steps of the whole run: steps an epoch times the largest number of epochs.
    """
    if isinstance(params, schemas.InverseTime):
        return keras.optimizers.schedules.InverseTimeDecay(learning_rate, 1, params.decay_rate)
    if isinstance(params, schemas.OneCycle):
        return OneCycle(learning_rate, steps, params.warmup, params.start, params.end)
    return learning_rate
