"""What the images of a data set are: their size, and how a user's own ones were made of files.

download and preprocess write `image_set.json` beside arrays of a user's own images, and a line for
each image in `files.csv`.
"""

import csv
import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pydantic import BaseModel, ConfigDict

from cifar_pipeline.common.atomic import replacing
from cifar_pipeline.common.checksums import check_manifest, read_manifest, reading
from cifar_pipeline.common.console import be, counted
from cifar_pipeline.dataset.cifar10 import IMAGE_SHAPE
from cifar_pipeline.dataset.decoding import Fit

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

IMAGE_SET = "image_set.json"
FILES = "files.csv"


class ImageSet(BaseModel):
    """The images of a data set.

    Attributes:
        image_size: rows and columns of an image in pixels.
        fit: what became of pictures that are not square; None: the images came as they are.
        reduced: whether large JPEGs were decoded at a part of their size.
        pictures: the digest of the user's own image files; None: CIFAR-10.
        layout: how their folder was laid out, in words.
        left_out: the number of files that were left out as faulty.
        modes: the number of pictures of each kind of pixels, by Pillow's name.
        repeated: the number of training images that are also in another part, or under another
            label. Known when preprocess has made the parts.
        repeated_left_out: whether these were left out of training.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    image_size: int = IMAGE_SHAPE[0]
    fit: Fit | None = None
    reduced: bool = False
    pictures: str | None = None
    layout: str = ""
    left_out: int = 0
    modes: dict[str, int] = {}
    repeated: int = 0
    repeated_left_out: bool = False


class FileRecord(NamedTuple):
    """The image file of one row of the arrays.

    Attributes:
        part: train, validation or test.
        label: the index of its class.
        file: its path in the folder of images.
        width: of the picture in pixels.
        height: likewise.
        mode: Pillow's name of its kind of pixels.
        group: equal for pictures of the same pixels, at their own size.
    """

    part: str
    label: int
    file: str
    width: int
    height: int
    mode: str
    group: int


def image_set_text(images: ImageSet) -> str:
    """Return the content of image_set.json."""
    return json.dumps(images.model_dump(), indent=2, ensure_ascii=False) + "\n"


def write_image_set(folder: Path, images: ImageSet) -> None:
    """Write image_set.json into `folder`."""
    with replacing(folder / IMAGE_SET) as temporary:
        temporary.write_text(image_set_text(images), encoding="utf-8")


def load_image_set(folder: Path, stage: str) -> ImageSet:
    """Return the image set of `folder`, which `stage` wrote, once verified.

    Of CIFAR-10 none is written. The manifest holds the SHA-256 of the others, so that what depends
    on the manifest depends on them.

    Raises:
        PipelineError: the manifest or the file is missing or damaged.
    """
    if IMAGE_SET not in read_manifest(folder, stage):
        return ImageSet()
    check_manifest(folder, [IMAGE_SET], stage)
    with reading(folder / IMAGE_SET):
        return ImageSet.model_validate_json((folder / IMAGE_SET).read_bytes())


def warnings_of_images(images: ImageSet) -> list[str]:
    """Return sentences about images that make figures doubtful: repeated ones, faulty ones."""
    found = []
    if number := images.repeated:
        one = number == 1
        what = (
            f"{'was' if one else 'were'} left out of training"
            if images.repeated_left_out
            else (
                f"{be(number)} in the training part: figures may be too good "
                "(`dvc exp run -S preprocess.repeated_images=leave_out` leaves "
                f"{'it' if one else 'them'} out)"
            )
        )
        found.append(
            f"{counted(number, 'training image')} {be(number)} also in another part or under "
            f"another label (equal `group` in data/processed/{FILES}), and {what}"
        )
    if number := images.left_out:
        were = "was" if number == 1 else "were"
        found.append(f"{counted(number, 'file')} could not be read as pictures and {were} left out")
    return found


def write_files(path: Path, records: Iterable[FileRecord]) -> None:
    """Write the table of files to `path`, a CSV file in the order of the records."""
    # Bytes of a name that are no text are escaped.
    with path.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(FileRecord._fields)
        writer.writerows(records)


def load_files(folder: Path, stage: str) -> "pd.DataFrame":
    """Return the table of files of `folder`, which `stage` wrote, once verified.

    Raises:
        PipelineError: the file is missing or damaged.
    """
    import pandas as pd

    check_manifest(folder, [FILES], stage)
    with reading(folder / FILES):
        table = pd.read_csv(folder / FILES, keep_default_na=False, encoding="utf-8")
        if tuple(table.columns) != FileRecord._fields:
            raise ValueError(f"its columns are {', '.join(map(str, table.columns))}")
    return table


def repeated(part: "np.ndarray", label: "np.ndarray", group: "np.ndarray") -> "np.ndarray":
    """Return which pictures are also in another part or under another label, bool (N,).

    Args:
        part: of each picture, int (N,).
        label: likewise.
        group: equal for pictures of the same pixels, int (N,).
    """
    import numpy as np

    _, members = np.unique(group, return_inverse=True)
    places = np.unique(np.stack([members, part, label]), axis=1)
    return np.bincount(places[0])[members] > 1
