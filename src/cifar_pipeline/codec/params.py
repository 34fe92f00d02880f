"""Schema of codec/params.yaml: which preset is trained, and the presets."""

from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import Field, model_validator

from cifar_pipeline.common.errors import ParamsError
from cifar_pipeline.params.loading import (
    Count,
    Factor,
    Rate,
    Section,
    off,
    pick,
    read_yaml,
    validate,
)
from cifar_pipeline.params.messages import key_name, nearest, shown
from cifar_pipeline.params.optimizers import Optimizer
from cifar_pipeline.params.presets import EarlyStopping
from cifar_pipeline.params.schedules import Schedule


class ChosenPreset(Section):
    """Which preset a stage trains, and the seed of everything random in it."""

    model: str = Field(min_length=1, description="Name of a preset under `models`.")
    seed: int = Field(
        ge=0, lt=2**32, description="Of initial weights, order, mirrored images, levels and noise."
    )


class TransformNetwork(Section):
    """A linear transform of blocks that begins as the KLT, with a residual network beside it."""

    block_size: Literal[4, 8, 16] = Field(description="Pixels a side of a block of the transform.")
    channels: Count = Field(
        ge=1, description="Of the latents: the transform's first components. At most all of them."
    )
    filters: Count = Field(ge=1, description="Of the residual networks' maps, 4 pixels apart.")
    residual_blocks: Count = Field(ge=0, description="In the encoder, and as many in the decoder.")
    knots: Annotated[int, Field(ge=2, le=256)] = Field(
        description="Levels with gains of their own; gains of the levels between are interpolated."
    )
    mixture: Annotated[int, Field(ge=2, le=16)] = Field(
        description="Logistic distributions of a channel's prior."
    )
    lambda_min: Rate = Field(description="Weight of the squared error at level 0.")
    lambda_max: Rate = Field(description="The same at level 255; geometric between them.")

    @model_validator(mode="after")
    def _components_are_enough(self) -> "TransformNetwork":
        most = 3 * self.block_size**2
        if self.channels > most:
            raise ValueError(
                f"channels ({self.channels}) must be at most the {most} components of blocks of "
                f"{self.block_size} pixels"
            )
        return self

    @model_validator(mode="after")
    def _levels_rise(self) -> "TransformNetwork":
        if self.lambda_min >= self.lambda_max:
            raise ValueError(
                f"lambda_min ({self.lambda_min:g}) must be below lambda_max ({self.lambda_max:g})"
            )
        return self


class DenseNetwork(Section):
    """The autoencoder of 2017: a convolution and dense layers, a code of plain numbers."""

    filters: Count = Field(ge=1, description="Of the valid 3x3 convolution.")
    code_length: Count = Field(ge=1, description="Numbers of the code.")


class Recipe(Section):
    """How a network is trained."""

    precision: Literal["auto", "float32", "bfloat16"] = Field(
        description="`auto`: bfloat16 where the device computes in it, else float32."
    )
    batch_size: Count = Field(ge=1, description="Images of a training step.")
    epochs: Count = Field(ge=1, description="How many at most.")
    gradient_norm: Factor = off(
        0.0, ge=0, description="Longer gradients are shortened to this length; 0: none is."
    )
    optimizer: Optimizer = Field(description="Its class and its rates.")
    schedule: Schedule = Field(description="The learning rate over the steps.")
    early_stopping: EarlyStopping = Field(description="When the run ends before its last epoch.")

    @model_validator(mode="after")
    def _early_stopping_can_act(self) -> "Recipe":
        if self.early_stopping.start_from_epoch >= self.epochs:
            raise ValueError(
                f"early_stopping.start_from_epoch ({self.early_stopping.start_from_epoch}) must be "
                f"below epochs ({self.epochs}), else no epoch can be chosen"
            )
        return self


class CodecPreset(Recipe):
    """A preset of the codec."""

    network: TransformNetwork = Field(description="Its dimensions.")
    flip: Literal["none", "random"] = Field(
        description="`random`: half of the images, by chance, are shown mirrored."
    )


class BaselinePreset(Recipe):
    """A preset of the autoencoder of 2017."""

    network: DenseNetwork = Field(description="Its dimensions.")


Preset = TypeVar("Preset", bound=Recipe)


def load_preset(path: Path, section: str, schema: type[Preset]) -> tuple[ChosenPreset, Preset]:
    """Read the section of a stage from the file `path`, and the preset that it names.

    Args:
        path: codec/params.yaml.
        section: `train` for the codec, `baseline` for the autoencoder of 2017.
        schema: of the stage's presets.

    Raises:
        ParamsError: the file, the section or the preset cannot be used.
    """
    content = read_yaml(path)
    choices = validate(ChosenPreset, pick(content, [section], path), section, path)
    presets = pick(content, ["models"], path)
    if not isinstance(presets, dict) or choices.model not in presets:
        known = list(map(key_name, presets)) if isinstance(presets, dict) else []
        raise ParamsError(
            f"{path}: {section}.model: no preset {shown(choices.model)} under models"
            f"{nearest(choices.model, known)}"
        )
    name = f"models.{choices.model}"
    return choices, validate(schema, presets[choices.model], name, path)
