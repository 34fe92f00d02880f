"""Schemas of a preset's `optimizer`, one a class; optim/build.py builds from them."""

from typing import Annotated, Literal

from pydantic import Field

from cifar_pipeline.params.loading import Section, off


class Adam(Section):
    """Adam; `weight_decay` is decoupled."""

    name: Literal["adam"]
    learning_rate: float = Field(gt=0)
    weight_decay: float = off(0.0, ge=0)


class Sgd(Section):
    """SGD with Nesterov momentum; `weight_decay` is decoupled, and of biases and offsets as well.

    `bias_learning_rate` is that of biases and batch normalisation's offsets. Every `lookahead`
    steps (0: never) each weight becomes a mean of itself and of what it became the last time, the
    latter counting the more the further the run is.
    """

    name: Literal["sgd"]
    learning_rate: float = Field(gt=0)
    momentum: float = Field(ge=0, lt=1)
    weight_decay: float = off(0.0, ge=0)
    bias_learning_rate: float = Field(gt=0)
    lookahead: int = off(0, ge=0)


class Muon(Section):
    """Muon for convolution kernels, SGD with Nesterov momentum for the rest.

    `kernel_learning_rate` is the length of a step relative to the kernel; `bias_learning_rate` is
    that of biases and batch normalisation's offsets; `learning_rate` and `weight_decay` are the
    dense layers', and `momentum` that of everything but kernels.
    """

    name: Literal["muon"]
    learning_rate: float = Field(gt=0)
    momentum: float = Field(ge=0, lt=1)
    weight_decay: float = off(0.0, ge=0)
    kernel_learning_rate: float = Field(gt=0)
    kernel_momentum: float = Field(ge=0, lt=1)
    bias_learning_rate: float = Field(gt=0)


Optimizer = Annotated[Adam | Sgd | Muon, Field(discriminator="name")]
