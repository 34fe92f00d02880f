"""Look at every picture of a folder: what is there, and what is wrong with it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from cifar_pipeline.adopt.mirror import SIDE
from cifar_pipeline.dataset.decoding import Decoding, Fit
from cifar_pipeline.dataset.image_set import repeated
from cifar_pipeline.download.contents import Contents, read_contents, shuffled
from cifar_pipeline.download.picture_source import digest_of
from cifar_pipeline.download.same_pictures import groups_of
from cifar_pipeline.images.decoding import Decoded
from cifar_pipeline.images.layout import (
    PARTS,
    TRAIN,
    ImageFile,
    ImageFolder,
    is_folder,
    visible,
)

_LOOKED_AT = 32  # pixels a side: enough for all questions, and JPEGs decode quickest at it
CHANNELS = ("red", "green", "blue")


class Sizes(NamedTuple):
    """Widths and heights of pictures in pixels."""

    smallest: tuple[int, int]
    median: tuple[int, int]
    largest: tuple[int, int]


@dataclass(frozen=True)
class Survey:
    """What was found in a folder.

    Attributes:
        images: the folder.
        contents: what each file holds.
        digest: of all files, for params.yaml.
        counts: of each part, the usable images of each class, int64 (classes,).
        sizes: of all usable images.
        short_side: the median of the training images' shorter sides in pixels.
        elongated: the share of the training images whose longer side is `ELONGATED` times the
            shorter one or more.
        repeated: the images that are also in another part or under another label.
        copies: the images that are another one's copies in the same part and class.
        unused: what lies in the folder and is none of its images, as paths in it, sorted. A folder
            stands for all that is in it, and ends in /.
        grey: the number of images without colour.
        constant: the channels in which all pixels of all images are equal.
        brightest: the greatest value of any pixel, of 255.
        small: the training images in the order of their file list, uint8 (N, SIDE, SIDE, 3).
        labels: their classes, uint8 (N,).
    """

    images: ImageFolder
    contents: Contents
    digest: str
    counts: dict[str, np.ndarray]
    sizes: Sizes
    short_side: int
    elongated: float
    repeated: int
    copies: int
    unused: tuple[str, ...]
    grey: int
    constant: tuple[str, ...]
    brightest: int
    small: np.ndarray
    labels: np.ndarray


ELONGATED = 1.25


class _Pixels:
    """What is asked of pixels, image by image, in the order in which they are read."""

    def __init__(self, training: int) -> None:
        self.small = np.zeros((training, SIDE, SIDE, 3), np.uint8)
        self.kept = 0
        self.grey = 0
        self.least = np.full(3, 255, np.uint8)
        self.greatest = np.zeros(3, np.uint8)

    def add(self, pixels: np.ndarray, trains: bool) -> None:
        self.grey += bool((pixels == pixels[:, :, :1]).all())
        self.least = np.minimum(self.least, pixels.min(axis=(0, 1)))
        self.greatest = np.maximum(self.greatest, pixels.max(axis=(0, 1)))
        if trains:
            step = _LOOKED_AT // SIDE
            cells = pixels.reshape(SIDE, step, SIDE, step, 3)
            self.small[self.kept] = cells.mean(axis=(1, 3)).round()
            self.kept += 1


def survey(images: ImageFolder, fit: Fit) -> Survey:
    """Look at every picture of a folder, with a bar on a terminal.

    Args:
        images: the folder.
        fit: what becomes of pictures that are not square.
    """
    training = {file.path for file in images.parts[TRAIN]}
    pixels = _Pixels(len(training))

    def use(path: object, image: Decoded) -> None:
        pixels.add(image.pixels, path in training)

    contents = read_contents(images, Decoding(_LOOKED_AT, fit, reduced=True), use)
    usable = {
        part: [file for file in shuffled(images.parts[part]) if file.path in contents.kinds]
        for part in PARTS
        if part in images.parts
    }
    every = np.array([kind[:2] for kind in contents.kinds.values()]).reshape(-1, 2)
    trained = np.array([contents.kinds[file.path][:2] for file in usable[TRAIN]]).reshape(-1, 2)
    short, long = trained.min(axis=1), trained.max(axis=1)
    flat = pixels.least == pixels.greatest
    again, copies = _repeated(usable, contents)
    return Survey(
        images=images,
        contents=contents,
        digest=digest_of(images, contents.sha256),
        counts={
            part: np.bincount([file.label for file in files], minlength=len(images.names))
            for part, files in usable.items()
        },
        sizes=_sizes(every),
        short_side=int(np.median(short)) if len(short) else 0,
        elongated=float((long >= ELONGATED * short).mean()) if len(short) else 0.0,
        repeated=again,
        copies=copies,
        unused=_unused(images),
        grey=pixels.grey,
        constant=tuple(name for name, is_flat in zip(CHANNELS, flat, strict=True) if is_flat),
        brightest=int(pixels.greatest.max()),
        small=pixels.small[: pixels.kept],
        labels=np.array([file.label for file in usable[TRAIN]], np.uint8),
    )


def _sizes(every: np.ndarray) -> Sizes:
    """Return the sizes of the images with the fewest and the most pixels, and both medians."""
    if not len(every):
        return Sizes((0, 0), (0, 0), (0, 0))
    by_area = every[every.prod(axis=1).argsort(kind="stable")]
    smallest, largest, median = by_area[0], by_area[-1], np.median(every, axis=0)
    return Sizes(*((int(width), int(height)) for width, height in (smallest, median, largest)))


def _repeated(usable: dict[str, list[ImageFile]], contents: Contents) -> tuple[int, int]:
    """Return the numbers of images that are repeated, and of copies in one part and class."""
    rows = [(part, file) for part, files in usable.items() for file in files]
    if not rows:
        return 0, 0
    groups = groups_of(contents.fingerprints)
    places = [(PARTS.index(part), file.label, groups[file.path]) for part, file in rows]
    return int(repeated(*np.array(places).T).sum()), len(places) - len(set(places))


def _unused(images: ImageFolder) -> tuple[str, ...]:
    used = {file.path for file in images.files} | ({images.table} if images.table else set())
    around = {folder for path in used for folder in path.parents}

    def below(folder: Path) -> Iterator[str]:
        for entry in visible(folder):
            if entry in around:
                yield from below(entry)
            elif entry not in used:
                yield f"{entry.relative_to(images.root)}{'/' if is_folder(entry) else ''}"

    return tuple(below(images.root))
