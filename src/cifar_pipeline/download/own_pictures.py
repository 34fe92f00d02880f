"""Images of a user's own in place of CIFAR-10: the files of a folder become arrays."""

import csv
import hashlib
import json
import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from cifar_pipeline.common.atomic import replacing, writing
from cifar_pipeline.common.checksums import MANIFEST, manifest_text, sha256_of
from cifar_pipeline.common.errors import PipelineError
from cifar_pipeline.dataset.arrays import CLASSES, array_names
from cifar_pipeline.dataset.binary_format import BATCH_FILES
from cifar_pipeline.dataset.image_set import (
    FILES,
    IMAGE_SET,
    FileRecord,
    ImageSet,
    image_set_text,
    write_files,
)
from cifar_pipeline.dataset.npy_files import open_for_writing, write_rows
from cifar_pipeline.download.same_pictures import Fingerprint, fingerprint, groups_of
from cifar_pipeline.images.decoding import Decoded, Decoding
from cifar_pipeline.images.errors import ImageFolderError
from cifar_pipeline.images.layout import ImageFile, ImageFolder, find_images
from cifar_pipeline.images.paths import shown
from cifar_pipeline.images.reading import ImageRead, read_images
from cifar_pipeline.params.download import DownloadParams

FAULTS = "image_faults.csv"
_SHOWN_FAULTS = 10
_ORDER_SEED = 2017


def is_picture_folder(folder: Path) -> bool:
    """Say whether `folder` holds images of one's own: it is a folder without CIFAR-10's files."""
    return folder.is_dir() and not any((folder / name).exists() for name in BATCH_FILES)


def require_source(source: Path | None) -> Path:
    """Return the folder that pictures of the user's own come from.

    Raises:
        PipelineError: params.yaml names none, or there is none; says what it is needed for.
    """
    if source is None:
        raise PipelineError(
            "download.source is empty, and download.sha256.pictures is of pictures of your own; "
            "name their folder, or delete that line for CIFAR-10"
        )
    if not source.is_dir():
        raise PipelineError(
            f"download.source: {shown(str(source))} is not there, and data/raw has to be made of "
            "its pictures (its digest, size or fit are new, or no cache has them); bring the "
            "folder back, or correct its name in params.yaml"
        )
    return source


def open_folder(folder: Path) -> ImageFolder:
    """Return the folder as it is understood.

    Raises:
        PipelineError: it is laid out in another way.
    """
    try:
        return find_images(folder)
    except ImageFolderError as error:
        raise PipelineError(f"download.source: {error}") from None


def digest_of(images: ImageFolder, sha256: Mapping[Path, str]) -> str:
    """Return the digest of a folder's images, which params.yaml holds.

    It is the SHA-256 of what `sha256sum` prints of all image files, and of the table of labels
    where there is one, in the order of their paths.

    Args:
        images: the folder.
        sha256: of each image file.
    """
    sums = dict(sha256)
    if images.table:
        sums[images.table] = sha256_of(images.table)
    lines = [
        # In the bytes of the name, which may be no text.
        sums[path].encode() + b"  " + os.fsencode(path.relative_to(images.root)) + b"\n"
        for path in sorted(sums)
    ]
    return hashlib.sha256(b"".join(lines)).hexdigest()


def decoding_of(params: DownloadParams) -> Decoding:
    """Return how `params` turn pictures into images."""
    return Decoding(params.image_size, params.fit, reduced=True)


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
    if not contents.faults:
        listing.unlink(missing_ok=True)
        return
    with writing(listing.parent):
        write_faults(listing, images, contents)
    lines = [
        f"  {shown(str(path))}: {why}"
        for path, why in list(sorted(contents.faults.items()))[:_SHOWN_FAULTS]
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


def write_faults(path: Path, images: ImageFolder, contents: Contents) -> None:
    """Write the files that cannot be used, and why, as a CSV file."""
    with (
        replacing(path) as temporary,
        temporary.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file,
    ):
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["file", "fault"])
        for at, why in sorted(contents.faults.items()):
            writer.writerow([at.relative_to(images.root), why])


def require_digest(folder: Path, digest: str, expected: str | None) -> None:
    """Compare the digest of a folder's images with the one in params.yaml.

    Raises:
        PipelineError: it is another, or params.yaml has none.
    """
    if digest != expected:
        raise PipelineError(
            f"download.source: the pictures in {shown(str(folder))} have the SHA-256 {digest}, and "
            f"download.sha256.pictures is {expected or 'not given'}; set it to that in params.yaml "
            "if these are the pictures you mean"
        )


def install_pictures(folder: Path, raw: Path, params: DownloadParams) -> dict[str, int]:
    """Write the images of `folder` as arrays into `raw`, with all that is known of them.

    Args:
        folder: a folder of images.
        raw: where the arrays go.
        params: size and fit of the images, what to do with faulty files, the folder's digest.

    Returns:
        The number of images of each part.

    Raises:
        PipelineError: the folder is laid out in another way, has faulty files, or is not the one
            of the digest; `raw` cannot be written.
    """
    images = open_folder(folder)
    decoding = decoding_of(params)
    with writing(raw), ExitStack() as stack:
        # What enters first takes its name last: no manifest stands beside files of another one.
        manifest = stack.enter_context(replacing(raw / MANIFEST))
        temporary = {
            name: stack.enter_context(replacing(raw / name))
            for part in images.parts
            for name in array_names(part)
        }
        for name in (CLASSES, FILES, IMAGE_SET):
            temporary[name] = stack.enter_context(replacing(raw / name))
        contents, sizes = _decode(images, decoding, temporary)
        if params.broken_images == "stop":
            require_no_faults(images, contents, raw.parent / FAULTS)
        require_digest(folder, digest_of(images, contents.sha256), params.pictures)
        records = _records(images, contents)
        write_files(temporary[FILES], records)
        temporary[CLASSES].write_text(
            json.dumps(images.names, indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
        )
        described = ImageSet(
            image_size=decoding.size,
            fit=decoding.fit,
            reduced=decoding.reduced,
            pictures=params.pictures,
            layout=images.layout,
            left_out=len(contents.faults),
            modes=dict(sorted(Counter(record.mode for record in records).items())),
        )
        temporary[IMAGE_SET].write_text(image_set_text(described), encoding="utf-8")
        sums = {name: sha256_of(path) for name, path in temporary.items()}
        manifest.write_text(manifest_text(sums))
    return sizes


def _decode(
    images: ImageFolder, decoding: Decoding, temporary: Mapping[str, Path]
) -> tuple[Contents, dict[str, int]]:
    """Fill the arrays of all parts; return what was found, and how many images each part has."""
    places = {file.path: (part, file.label) for part, of in images.parts.items() for file in of}
    labels: dict[str, list[int]] = {part: [] for part in images.parts}
    arrays = {
        part: open_for_writing(
            temporary[array_names(part)[0]], (len(files), decoding.size, decoding.size, 3)
        )
        for part, files in images.parts.items()
    }

    def use(path: Path, image: Decoded) -> None:
        part, label = places[path]
        arrays[part][len(labels[part])] = image.pixels
        labels[part].append(label)

    contents = read_contents(images, decoding, use)
    for part, array in arrays.items():
        images_name, labels_name = array_names(part)
        if len(labels[part]) < len(array):
            with replacing(temporary[images_name]) as shorter:
                write_rows(shorter, array, np.arange(len(labels[part])))
        with temporary[labels_name].open("wb") as file:
            np.save(file, np.array(labels[part], np.uint8), allow_pickle=False)
    return contents, {part: len(kept) for part, kept in labels.items()}


def _records(images: ImageFolder, contents: Contents) -> list[FileRecord]:
    """Return the record of every image that can be used, in the order of the arrays."""
    usable = [
        (part, file)
        for part, files in images.parts.items()
        for file in shuffled(files)
        if file.path in contents.kinds
    ]
    groups = groups_of(contents.fingerprints)
    return [
        FileRecord(
            part,
            file.label,
            str(file.path.relative_to(images.root)),
            *contents.kinds[file.path],
            groups[file.path],
        )
        for part, file in usable
    ]
