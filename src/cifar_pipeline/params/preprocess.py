"""Schema of the section `preprocess`."""

from pydantic import Field

from cifar_pipeline.params.loading import Section


class PreprocessParams(Section):
    """Parameters of the stage `preprocess`."""

    # The same number of each class; how many there are is known when the images are read.
    validation_images: int = Field(
        gt=0, description="Images held out of the training images, the same number of each class."
    )
    seed: int = Field(ge=0, description="Of the choice of these images.")
