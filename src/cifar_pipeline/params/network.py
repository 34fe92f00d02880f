"""Schemas of a network's parts in a preset: blocks of convolutions, and the head."""

from typing import Literal

from pydantic import Field, model_validator

from cifar_pipeline.params.loading import Section, off

Activation = Literal["relu", "silu", "gelu", "elu", "leaky_relu", "tanh"]


class Block(Section):
    """Convolutions of one width and a max pooling.

    `pooling` is its window and stride (1: none); it comes after the `first` convolution, before
    batch normalisation and activation, or after the activation of the `last` one. A `shortcut` adds
    the maps that the first activation leaves to those of the last convolution, before its own.
    """

    convolutions: int = Field(ge=1)
    filters: int = Field(ge=1)
    kernel_size: int = Field(ge=1)
    padding: Literal["same", "valid"]
    pooling: int = off(1, ge=1)
    pooling_after: Literal["first", "last"]
    batch_normalization: bool = off(False)
    activation: Activation
    shortcut: bool = off(False)
    dropout: float = off(0.0, ge=0, lt=1)

    @model_validator(mode="after")
    def _shortcut_can_be_added(self) -> "Block":
        if self.shortcut and self.convolutions < 2:
            raise ValueError("a shortcut passes convolutions over: set convolutions to 2 or more")
        if self.shortcut and self.padding == "valid" and self.kernel_size > 1:
            raise ValueError("a shortcut needs maps that keep their size: set padding to same")
        return self


class Head(Section):
    """From feature maps to logits; `dense_units` 0 leaves the hidden dense layer out."""

    pooling: Literal["flatten", "max", "average"]
    dense_units: int = off(0, ge=0)
    activation: Activation
    dropout: float = off(0.0, ge=0, lt=1)
    logit_scale: float = off(1.0, gt=0)
