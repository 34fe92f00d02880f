"""Schema of a preset's `augmentation`: changes to the training images."""

from typing import Literal

from cifar_pipeline.params.image_size import LARGEST_IMAGE_SIZE
from cifar_pipeline.params.loading import Section, off


class Augmentation(Section):
    """Random changes to the training images, each time that one is shown."""

    flip: Literal["none", "random", "alternating"] = off(
        "none",
        description="Mirror images: by chance, or in turn, each time that an image is shown.",
    )
    translate: int = off(
        0, ge=0, le=16, description="Move an image by so many pixels at most, each way."
    )
    cutout: int = off(
        0,
        ge=0,
        le=LARGEST_IMAGE_SIZE,
        description="Side in pixels of a square that is painted over, anywhere in the image, in "
        "the images' mean colour; 0: none.",
    )
