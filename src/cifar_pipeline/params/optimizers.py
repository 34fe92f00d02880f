"""Schemas of a preset's `optimizer`, one a class; optim/build.py builds from them."""

from typing import Annotated, Literal

from pydantic import Field

from cifar_pipeline.params.loading import Section, off


class Adam(Section):
    """Adam with decoupled weight decay."""

    name: Literal["adam"]
    learning_rate: float = Field(gt=0, description="Of all weights.")
    weight_decay: float = off(0.0, ge=0, description="Decoupled; biases and offsets have none.")


class Sgd(Section):
    """SGD with Nesterov momentum and with Lookahead."""

    name: Literal["sgd"]
    learning_rate: float = Field(gt=0, description="Of all weights but biases and offsets.")
    bias_learning_rate: float = Field(
        gt=0, description="Of biases and of batch normalisation's offsets."
    )
    momentum: float = Field(ge=0, lt=1, description="Of all weights.")
    weight_decay: float = off(
        0.0, ge=0, description="Decoupled, and of biases and offsets as well."
    )
    lookahead: int = off(
        0,
        ge=0,
        description="Steps after which each weight becomes a mean of itself and of its former "
        "mean, which counts the more the further the run is; 0: never.",
    )


class Muon(Section):
    """Muon for convolution kernels, SGD with Nesterov momentum for the rest."""

    name: Literal["muon"]
    learning_rate: float = Field(gt=0, description="Of the dense layers.")
    kernel_learning_rate: float = Field(
        gt=0, description="Length of a step relative to the kernel."
    )
    bias_learning_rate: float = Field(
        gt=0, description="Of biases and of batch normalisation's offsets."
    )
    momentum: float = Field(ge=0, lt=1, description="Of all weights but kernels.")
    kernel_momentum: float = Field(ge=0, lt=1, description="Of kernels.")
    weight_decay: float = off(0.0, ge=0, description="Decoupled, of the dense layers.")


Optimizer = Annotated[Adam | Sgd | Muon, Field(discriminator="name")]
