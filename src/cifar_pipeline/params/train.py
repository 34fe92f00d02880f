"""Schema of the section `train`."""

from pydantic import Field

from cifar_pipeline.params.loading import Section


class TrainParams(Section):
    """Parameters of the stage `train`: which preset, and the seed of everything random in it."""

    model: str = Field(min_length=1, description="Name of a preset under `models`.")
    seed: int = Field(
        ge=0, lt=2**32, description="Of initial weights, order, augmentation and dropout."
    )
