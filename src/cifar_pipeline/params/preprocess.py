"""Schema of the section `preprocess`."""

from pydantic import Field

from cifar_pipeline.params.loading import Section


class PreprocessParams(Section):
    """Parameters of the stage `preprocess`."""

    # The same number of each of ten classes, out of 5,000 each.
    validation_images: int = Field(gt=0, lt=50_000, multiple_of=10)
    seed: int = Field(ge=0)
