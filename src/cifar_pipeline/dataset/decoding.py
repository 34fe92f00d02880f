"""How a picture file becomes an image. Commands import this to print their help: it is light."""

from typing import Literal, NamedTuple

from cifar_pipeline.dataset.cifar10 import IMAGE_SHAPE

Fit = Literal["crop", "pad", "stretch"]


class Decoding(NamedTuple):
    """How a picture becomes an image; a model remembers how its training images did.

    Attributes:
        size: side of the image in pixels.
        fit: what becomes of a picture that is not square, see `images.decoding.fitted`.
        reduced: whether a JPEG far larger than needed is decoded at a part of its size, in less
            time.
    """

    size: int = IMAGE_SHAPE[0]
    fit: Fit = "crop"
    reduced: bool = False
