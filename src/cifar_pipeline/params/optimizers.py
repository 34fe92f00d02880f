"""Schemas of a preset's `optimizer`, one a class; optim/build.py builds from them."""

from typing import Annotated, Literal

from pydantic import Field

from cifar_pipeline.params.loading import Count, Factor, Rate, Section, off


class Adam(Section):
    """Adam with decoupled weight decay."""

    name: Literal["adam"]
    learning_rate: Rate = Field(description="Of all weights.")
    weight_decay: Factor = off(0.0, ge=0, description="Decoupled; biases and offsets have none.")


class Sgd(Section):
    """SGD with Nesterov momentum and with Lookahead."""

    name: Literal["sgd"]
    learning_rate: Rate = Field(description="Of all weights but biases and offsets.")
    bias_learning_rate: Rate = Field(description="Of biases and of batch normalisation's offsets.")
    momentum: float = Field(ge=0, lt=1, description="Of all weights.")
    weight_decay: Factor = off(
        0.0, ge=0, description="Decoupled, and of biases and offsets as well."
    )
    lookahead: Count = off(
        0,
        ge=0,
        description="Steps after which each weight becomes a mean of itself and of its former "
        "mean, which counts the more the further the run is; 0: never.",
    )


class Muon(Section):
    """Muon for convolution kernels, SGD with Nesterov momentum for the rest."""

    name: Literal["muon"]
    learning_rate: Rate = Field(description="Of the dense layers.")
    kernel_learning_rate: Rate = Field(description="Length of a step relative to the kernel.")
    bias_learning_rate: Rate = Field(description="Of biases and of batch normalisation's offsets.")
    momentum: float = Field(ge=0, lt=1, description="Of all weights but kernels.")
    kernel_momentum: float = Field(ge=0, lt=1, description="Of kernels.")
    weight_decay: Factor = off(0.0, ge=0, description="Decoupled, of the dense layers.")


class AdamMuon(Section):
    """Muon for convolution kernels, Adam for the rest."""

    name: Literal["adam_muon"]
    learning_rate: Rate = Field(description="Of all weights but kernels.")
    kernel_learning_rate: Rate = Field(
        description="Of kernels, whose steps are as long as Adam's would be."
    )
    kernel_momentum: float = Field(ge=0, lt=1, description="Of kernels.")


class RmsProp(Section):
    """RMSProp as TensorFlow had it in 2017: decay 0.9, no momentum."""

    name: Literal["rmsprop"]
    learning_rate: Rate = Field(description="Of all weights.")


Optimizer = Annotated[Adam | Sgd | Muon | AdamMuon | RmsProp, Field(discriminator="name")]
