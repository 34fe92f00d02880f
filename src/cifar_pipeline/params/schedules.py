"""Schemas of a preset's `schedule`: the learning rate over the steps of a run."""

from typing import Annotated, Literal

from pydantic import Field

from cifar_pipeline.params.loading import Count, Factor, Section, off


class Constant(Section):
    """The learning rate stays as it is."""

    name: Literal["constant"]


class InverseTime(Section):
    """Learning rate / (1 + decay_rate * step)."""

    name: Literal["inverse_time"]
    decay_rate: Factor = Field(ge=0, description="Of each step.")


class OneCycle(Section):
    """A linear rise to the learning rate, then a linear fall."""

    name: Literal["one_cycle"]
    warmup: float = off(
        0.0, ge=0, lt=1, description="Fraction of the steps in which the rate rises."
    )
    start: Factor = Field(ge=0, description="First rate, as a multiple of the learning rate.")
    end: Factor = Field(ge=0, description="Last rate, as a multiple of the learning rate.")


class Staircase(Section):
    """Learning rate * decay_rate ** (step // decay_steps)."""

    name: Literal["staircase"]
    decay_rate: float = Field(gt=0, le=1, description="Of each stair.")
    decay_steps: Count = Field(ge=1, description="Steps of training on a stair.")


Schedule = Annotated[Constant | InverseTime | OneCycle | Staircase, Field(discriminator="name")]
