"""What is in a folder of image files, and what is wrong with it."""

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from cifar_pipeline.common.atomic import replacing, writing
from cifar_pipeline.common.errors import PipelineError
from cifar_pipeline.dataset.decoding import Decoding
from cifar_pipeline.download.same_pictures import Fingerprint, fingerprint
from cifar_pipeline.images.decoding import Decoded
from cifar_pipeline.images.layout import ImageFile, ImageFolder
from cifar_pipeline.images.paths import shown
from cifar_pipeline.images.reading import ImageRead, read_images

FAULTS = "image_faults.csv"
SHOWN_FAULTS = 10
_ORDER_SEED = 2017


@dataclass
class Contents:
    """What was found in a folder of images, in the order in which the files were read.

    Attributes:
        sha256: of the bytes of each file.
        faults: why files cannot be used, by path.
        fingerprints: of each image that can be used.
        kinds: width, height and mode of each image that can be used.
    """

    sha256: dict[Path, str] = field(default_factory=dict)
    faults: dict[Path, str] = field(default_factory=dict)
    fingerprints: dict[Path, Fingerprint] = field(default_factory=dict)
    kinds: dict[Path, tuple[int, int, str]] = field(default_factory=dict)

    def add(self, found: ImageRead) -> Decoded | None:
        """Note what was found in a file; return its image if it can be used."""
        self.sha256[found.path] = found.sha256
        if found.decoded is None:
            self.faults[found.path] = found.fault
            return None
        image = found.decoded
        self.kinds[found.path] = (image.width, image.height, image.mode)
        self.fingerprints[found.path] = fingerprint(found.sha256, image)
        return image


def read_contents(
    images: ImageFolder, decoding: Decoding, use: Callable[[Path, Decoded], object] | None = None
) -> Contents:
    """Read every file of a folder, each part in a fixed random order.

    Args:
        images: the folder.
        decoding: size and fit.
        use: is called with each image that can be used.
    """
    contents = Contents()
    files = [file.path for part in images.parts for file in shuffled(images.parts[part])]

    def note(found: ImageRead) -> None:
        image = contents.add(found)
        if image is not None and use is not None:
            use(found.path, image)

    read_images(files, len(files), decoding, note)
    return contents


def shuffled(files: Sequence[ImageFile]) -> list[ImageFile]:
    """Return the files of a part in a fixed random order: any first few are of all classes."""
    order = np.random.Generator(np.random.PCG64(_ORDER_SEED)).permutation(len(files))
    return [files[at] for at in order]


def require_no_faults(images: ImageFolder, contents: Contents, listing: Path) -> None:
    """Refuse a folder with files that cannot be used; all of them go into the file `listing`.

    Raises:
        PipelineError: a line with their number, the first ten of them, and what to do.
    """
    list_faults(listing, images, contents)
    if not contents.faults:
        return
    lines = [
        f"  {shown(str(path))}: {why}"
        for path, why in sorted(contents.faults.items())[:SHOWN_FAULTS]
    ]
    number = len(contents.faults)
    raise PipelineError(
        "\n".join(
            [
                f"download.source: {number:,} of {len(contents.sha256):,} files cannot be used; "
                f"mend or remove them, or set download.broken_images: leave_out (all of them: "
                f"{listing})",
                *lines,
                *([f"  ... and {number - len(lines):,} more"] if number > len(lines) else []),
            ]
        )
    )


def require_every_class(images: ImageFolder, contents: Contents) -> None:
    """Refuse a folder where a part has no file of a class that can be used.

    Raises:
        PipelineError: names the class and the part, and a file of them with its fault.
    """
    for part, files in images.parts.items():
        usable = {file.label for file in files if file.path in contents.kinds}
        for file in files:
            if file.label not in usable:
                name = shown(images.names[file.label])
                raise PipelineError(
                    f"{shown(str(images.root))}: no file of class {name} can be used in the part "
                    f"{part}, such as {shown(str(file.path))}: {contents.faults[file.path]}; mend "
                    "or replace its files, or leave the class out"
                )


def list_faults(path: Path, images: ImageFolder, contents: Contents) -> None:
    """Write the files that cannot be used, and why, as a CSV file; without faults remove it.

    Raises:
        PipelineError: it cannot be written.
    """
    if not contents.faults:
        with writing(path.parent):
            path.unlink(missing_ok=True)
        return
    with (
        writing(path.parent),
        replacing(path) as temporary,
        temporary.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file,
    ):
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["file", "fault"])
        for at, why in sorted(contents.faults.items()):
            writer.writerow([at.relative_to(images.root), why])
