"""Schemas of a network's parts in a preset: blocks of convolutions, and the head."""

from typing import Literal

from pydantic import Field, model_validator

from cifar_pipeline.params.image_size import LARGEST_IMAGE_SIZE
from cifar_pipeline.params.loading import Count, Rate, Section, off

Activation = Literal["relu", "silu", "gelu", "elu", "leaky_relu", "tanh"]


class Block(Section):
    """Convolutions of one width, each with an activation, and a max pooling."""

    filters: int = Field(ge=1, le=16_384, description="Of each convolution.")
    convolutions: int = Field(ge=1, le=100, description="How many convolutions.")
    kernel_size: int = Field(
        ge=1, le=LARGEST_IMAGE_SIZE, description="Rows and columns of a kernel."
    )
    padding: Literal["same", "valid"] = Field(
        description="`same`: maps keep their size; `valid`: they lose `kernel_size` - 1 rows and "
        "columns."
    )
    pooling: int = off(
        1, ge=1, le=LARGEST_IMAGE_SIZE, description="Window and stride of the max pooling; 1: none."
    )
    pooling_after: Literal["first", "last"] = Field(
        description="After the `first` convolution, before batch normalisation and activation; or "
        "after the activation of the `last` one."
    )
    activation: Activation = Field(description="After each convolution.")
    dropout: float = off(
        0.0,
        ge=0,
        lt=1,
        description="Share of the values that training drops at the end of the block.",
    )
    batch_normalization: bool = off(
        False, description="After each convolution, which then has no bias."
    )
    shortcut: bool = off(
        False,
        description="Add the maps of the first activation to those of the last convolution, before "
        "its own activation.",
    )

    @model_validator(mode="after")
    def _shortcut_can_be_added(self) -> "Block":
        if self.shortcut and self.convolutions < 2:
            raise ValueError("a shortcut passes convolutions over: set convolutions to 2 or more")
        if self.shortcut and self.padding == "valid" and self.kernel_size > 1:
            raise ValueError("a shortcut needs maps that keep their size: set padding to same")
        return self


class Head(Section):
    """From feature maps to logits."""

    pooling: Literal["flatten", "max", "average"] = Field(
        description="From maps to features: all values, or the greatest or mean one of each "
        "channel."
    )
    dense_units: Count = off(0, ge=0, description="Of a hidden dense layer; 0: none.")
    activation: Activation = Field(description="Of the hidden dense layer.")
    dropout: float = off(
        0.0,
        ge=0,
        lt=1,
        description="Share of the features that training drops before the last layer.",
    )
    logit_scale: Rate = off(1.0, description="Factor of the logits.")
