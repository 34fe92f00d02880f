"""How pictures become the images that a model takes: as its training images did."""

import json
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from cifar_pipeline.common.checksums import HEAL
from cifar_pipeline.common.errors import PipelineError
from cifar_pipeline.common.system_errors import refusal
from cifar_pipeline.dataset.decoding import Decoding
from cifar_pipeline.dataset.image_set import ImageSet

if TYPE_CHECKING:
    import keras

_FILE = "decoding.json"


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

    An archive that says nothing of it gets the square in the middle, at the size of its inputs.

    Raises:
        PipelineError: the archive cannot be read.
    """
    side = model.input_shape[1]
    plain = Decoding(size=side) if side else Decoding()
    try:
        with zipfile.ZipFile(path) as archive:
            if _FILE not in archive.namelist():
                return plain
            return Decoding(**json.loads(archive.read(_FILE)))
    except (OSError, ValueError, TypeError, zipfile.BadZipFile) as error:
        raise PipelineError(refusal(error, path, "read", otherwise=HEAL)) from None
