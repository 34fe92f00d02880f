"""Images of a user's own in place of CIFAR-10: the files of a folder become arrays."""

import json
from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from cifar_pipeline.common.atomic import replacing, writing
from cifar_pipeline.common.checksums import MANIFEST, manifest_text, sha256_of
from cifar_pipeline.dataset.arrays import CLASSES, array_names
from cifar_pipeline.dataset.decoding import Decoding
from cifar_pipeline.dataset.image_set import (
    FILES,
    IMAGE_SET,
    FileRecord,
    ImageSet,
    image_set_text,
    write_files,
)
from cifar_pipeline.dataset.npy_files import write_array, writing_rows
from cifar_pipeline.download.contents import (
    FAULTS,
    Contents,
    read_contents,
    require_every_class,
    require_no_faults,
    shuffled,
)
from cifar_pipeline.download.picture_source import digest_of, open_folder, require_digest
from cifar_pipeline.download.same_pictures import groups_of
from cifar_pipeline.images.decoding import Decoded
from cifar_pipeline.images.layout import ImageFolder
from cifar_pipeline.params.download import DownloadParams


def decoding_of(params: DownloadParams) -> Decoding:
    """Return how `params` turn pictures into images."""
    return Decoding(params.image_size, params.fit, reduced=True)


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
        require_every_class(images, contents)
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
        manifest.write_text(manifest_text(sums), encoding="utf-8")
    return sizes


def _decode(
    images: ImageFolder, decoding: Decoding, temporary: Mapping[str, Path]
) -> tuple[Contents, dict[str, int]]:
    """Fill the arrays of all parts; return what was found, and how many images each part has."""
    places = {file.path: (part, file.label) for part, of in images.parts.items() for file in of}
    labels: dict[str, list[int]] = {part: [] for part in images.parts}
    shape = (decoding.size, decoding.size, 3)
    with ExitStack() as stack:
        append = {
            part: stack.enter_context(writing_rows(temporary[array_names(part)[0]], shape))
            for part in images.parts
        }

        def use(path: Path, image: Decoded) -> None:
            part, label = places[path]
            append[part](image.pixels[np.newaxis])
            labels[part].append(label)

        contents = read_contents(images, decoding, use)
    for part, kept in labels.items():
        write_array(temporary[array_names(part)[1]], np.array(kept, np.uint8))
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
