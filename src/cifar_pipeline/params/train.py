"""Schema of the section `train`."""

from pathlib import Path
from typing import Literal, NamedTuple

from pydantic import Field

from cifar_pipeline.params.loading import Section, load_section, off
from cifar_pipeline.params.presets import ModelParams, load_model


class TrainParams(Section):
    """Parameters of the stage `train`: which preset, and the seed of everything random in it."""

    model: str = Field(min_length=1, description="Name of a preset under `models`.")
    flip: Literal["preset", "none"] = off(
        "preset",
        description="`none` switches `augmentation.flip` off, whatever the preset: mirrored, some "
        "images are of another class.",
    )
    seed: int = Field(
        ge=0, lt=2**32, description="Of initial weights, order, augmentation and dropout."
    )


class Training(NamedTuple):
    """What `train` is told.

    Attributes:
        choices: the section `train`.
        model: the preset that it names, with flips as the section says.
    """

    choices: TrainParams
    model: ModelParams


def load_training(path: Path) -> Training:
    """Read the section `train` of the file `path`, and its preset.

    Raises:
        ParamsError: as `load_section` and `load_model`.
    """
    choices = load_section(path, TrainParams, "train")
    model = load_model(path, choices.model)
    if choices.flip == "none":
        without = model.augmentation.model_copy(update={"flip": "none"})
        model = model.model_copy(update={"augmentation": without})
    return Training(choices, model)
