"""Schema of a preset's `augmentation`: changes to the training images."""

from typing import Literal

from cifar_pipeline.dataset.cifar10 import IMAGE_SHAPE
from cifar_pipeline.params.loading import Section, off


class Augmentation(Section):
    """Changes to the training images: `translate` in pixels, each way, and the side of `cutout`.

    Cutout paints a square of so many pixels, anywhere in the image, in the images' mean colour.
    """

    flip: Literal["none", "random", "alternating"] = off("none")
    translate: int = off(0, ge=0, le=16)
    cutout: int = off(0, ge=0, le=IMAGE_SHAPE[0])
