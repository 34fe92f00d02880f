"""Schema of the section `preprocess`."""

from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, ValidatorFunctionWrapHandler, WrapValidator

from cifar_pipeline.params.loading import Section, off


def _one_message(value: Any, validate: ValidatorFunctionWrapHandler) -> Any:
    """Refuse with one message what is neither of two types: pydantic has one for each of them."""
    try:
        return validate(value)
    except ValidationError:
        raise ValueError(
            "expected a number of images, 1 or more, or a share of them between 0 and 1, as 0.1"
        ) from None


NumberOrShare = Annotated[
    Annotated[int, Field(ge=1, le=10**9)] | Annotated[float, Field(gt=0, lt=1)],
    WrapValidator(_one_message),
]


class PreprocessParams(Section):
    """Parameters of the stage `preprocess`.

    A number is of images in all, a share is of the images that are split. Either way each class
    gives in proportion to its size, and at least one image.
    """

    validation_images: NumberOrShare = Field(
        description="Images held out of the training images: a number or a share."
    )
    # A params.yaml of before this key has no source that needs it.
    test_images: NumberOrShare = Field(
        default=0.2,
        description="Images split off for testing where the source has no test part of its own: a "
        "number or a share. May be left out: 0.2.",
    )
    seed: int = Field(ge=0, lt=10**18, description="Of the choice of these images.")
    repeated_images: Literal["keep", "leave_out"] = off(
        "keep",
        description="Training images of your own whose pixels are also in another part, or under "
        "another label: kept, or left out of training.",
    )
