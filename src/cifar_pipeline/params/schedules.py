"""Schemas of a preset's `schedule`: the learning rate over the steps of a run."""

from typing import Annotated, Literal

from pydantic import Field

from cifar_pipeline.params.loading import Section, off


class Constant(Section):
    """The learning rate stays as it is."""

    name: Literal["constant"]


class InverseTime(Section):
    """Learning rate / (1 + decay_rate * step)."""

    name: Literal["inverse_time"]
    decay_rate: float = Field(ge=0)


class OneCycle(Section):
    """A linear rise, then a linear fall.

    From `start` times the learning rate to all of it over the fraction `warmup` of the run's
    steps, then to `end` times it.
    """

    name: Literal["one_cycle"]
    warmup: float = off(0.0, ge=0, lt=1)
    start: float = Field(ge=0)
    end: float = Field(ge=0)


Schedule = Annotated[Constant | InverseTime | OneCycle, Field(discriminator="name")]
