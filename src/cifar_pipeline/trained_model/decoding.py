"""How pictures become the images that a model takes: as its training images did."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from cifar_pipeline.common.console import complain
from cifar_pipeline.dataset.decoding import Decoding, Fit
from cifar_pipeline.dataset.image_set import ImageSet
from cifar_pipeline.params.image_size import LARGEST_IMAGE_SIZE
from cifar_pipeline.trained_model.archive import read_entry, unreadable
from cifar_pipeline.trained_model.classifier import smallest_side

if TYPE_CHECKING:
    import keras

_FILE = "decoding.json"


class _Written(BaseModel):
    """What the file holds."""

    model_config = ConfigDict(extra="forbid", strict=True)

    size: int = Field(ge=1, le=LARGEST_IMAGE_SIZE)
    fit: Fit
    reduced: bool


def decoding_entry(images: ImageSet) -> dict[str, bytes]:
    """Return the file that stores the decoding in a model's archive: its content by name.

    None for CIFAR-10, whose images were no picture files.
    """
    if images.fit is None:
        return {}
    values = {"size": images.image_size, "fit": images.fit, "reduced": images.reduced}
    return {_FILE: (json.dumps(values, indent=2) + "\n").encode()}


def load_decoding(path: Path, model: "keras.Model") -> Decoding:
    """Return how pictures become images for `model`, of the archive at `path`.

    An archive that says nothing of it gets the square in the middle, at the size of its inputs. If
    it takes any size, one line on standard error says which it gets.

    Raises:
        PipelineError: the archive cannot be read.
    """
    content = read_entry(path, _FILE)
    if content is not None:
        try:
            return Decoding(**_Written.model_validate_json(content).model_dump())
        except ValueError as error:
            raise unreadable(path, error) from None
    _, rows, columns, _ = model.input_shape
    side = rows or columns
    if side is None:
        side = smallest_side(model)
        complain(f"warning: {path} takes images of any size; pictures become {side} x {side}")
    return Decoding(size=side)
