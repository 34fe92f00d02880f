"""Pictures of one's own in place of CIFAR-10: `train/CLASS/...` and `test/CLASS/...` in a folder.

They become batch files in the official format, so that everything after this stage is the same.
"""

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from cifar_pipeline.common.checksums import sha256_of
from cifar_pipeline.common.errors import PipelineError
from cifar_pipeline.dataset.binary_format import (
    CLASS_NAMES_FILE,
    MOST_CLASSES,
    TEST_BATCH,
    TRAIN_BATCHES,
    class_names_text,
    encode_batch,
)
from cifar_pipeline.download.install import install
from cifar_pipeline.images.decoding import decode_picture, require_regular
from cifar_pipeline.images.paths import PictureError, shown

Result = TypeVar("Result")

_PARTS = {"train": TRAIN_BATCHES[0], "test": TEST_BATCH}
_SHAPE = "expected train/CLASS/ and test/CLASS/ with pictures in them, for two classes or more"


def is_picture_folder(folder: Path) -> bool:
    """Say whether `folder` holds a train and a test part, as pictures of one's own do."""
    return all((folder / part).is_dir() for part in _PARTS)


@dataclass(frozen=True)
class Pictures:
    """Names of the classes, and by part the files of each class, sorted."""

    names: tuple[str, ...]
    files: dict[str, list[list[Path]]]

    @property
    def number(self) -> int:
        """Of all pictures."""
        return sum(len(kind) for part in self.files.values() for kind in part)


def check_pictures(folder: Path, expected: str | None) -> Pictures:
    """Find the pictures of `folder` and compare their digest with the one in params.yaml.

    The digest is the SHA-256 of what `sha256sum` prints of all files, in the order of their names.

    Args:
        folder: with a train and a test part.
        expected: the digest.

    Raises:
        PipelineError: the folder is of another shape or cannot be read, or the pictures are others.
    """
    names = _class_names(folder)
    files = {part: _files_by_class(folder / part, names) for part in _PARTS}
    everything = sorted(file for part in files.values() for kind in part for file in kind)
    lines = [
        # In the bytes of the name, which may be no text.
        digest.encode() + b"  " + os.fsencode(file.relative_to(folder)) + b"\n"
        for file, digest in zip(everything, _of_each(_digest, everything), strict=True)
    ]
    digest = hashlib.sha256(b"".join(lines)).hexdigest()
    if digest != expected:
        raise PipelineError(
            f"download.source: the pictures in {folder} have the SHA-256 {digest}, and "
            f"download.sha256.pictures is {expected or 'not given'}; set it to that in params.yaml "
            "if these are the pictures you mean"
        )
    return Pictures(names, files)


def install_pictures(folder: Path, raw: Path, expected: str | None) -> int:
    """Write the pictures of `folder` as batch files, class names and manifest into `raw`.

    The batches hold each class in turn, and in it the files in the order of their names.

    Args:
        folder: with a train and a test part.
        raw: where the batch files go.
        expected: the digest of the pictures, as `check_pictures` takes it.

    Returns:
        The number of pictures.

    Raises:
        PipelineError: as `check_pictures`; a file is no picture.
    """
    pictures = check_pictures(folder, expected)
    batches = {
        batch: encode_batch(*_images_and_labels(pictures.files[part]))
        for part, batch in _PARTS.items()
    }
    batches[CLASS_NAMES_FILE] = class_names_text(pictures.names).encode()
    sums = {name: hashlib.sha256(content).hexdigest() for name, content in batches.items()}
    install(batches.items(), raw, sums)
    return pictures.number


def _class_names(folder: Path) -> tuple[str, ...]:
    """Return the names of the classes: of the folders in both parts, sorted."""
    found = {
        part: {entry.name for entry in _visible(folder / part) if _is_folder(entry)}
        for part in _PARTS
    }
    alone = found["train"] ^ found["test"]
    if alone:
        raise PipelineError(
            f"download.source: {folder}: {', '.join(map(shown, sorted(alone)))} in one part only; "
            f"{_SHAPE}"
        )
    names = tuple(sorted(found["train"]))
    if not 2 <= len(names) <= MOST_CLASSES:
        raise PipelineError(
            f"download.source: {folder}: {len(names)} classes; {_SHAPE}, {MOST_CLASSES} at most"
        )
    odd = [name for name in names if not name.isprintable()]
    if odd:
        raise PipelineError(
            f"download.source: {folder}: {odd[0]!r} cannot be the name of a class; rename it"
        )
    return names


def _files_by_class(part: Path, names: tuple[str, ...]) -> list[list[Path]]:
    """Return the files of each class, sorted, also from folders inside its folder."""
    around = frozenset(map(os.path.realpath, (part, part.parent)))
    files = [_files_below(part / name, around) for name in names]
    empty = [name for name, found in zip(names, files, strict=True) if not found]
    if empty:
        raise PipelineError(
            f"download.source: {shown(str(part / empty[0]))} holds no pictures; {_SHAPE}"
        )
    return files


def _files_below(folder: Path, above: frozenset[str]) -> list[Path]:
    """Return the files in `folder` and in its folders, linked ones too; `above` are around it."""
    real = os.path.realpath(folder)
    if real in above:
        raise PipelineError(
            f"download.source: {shown(str(folder))} is a link to a folder around it; remove it"
        )
    found = []
    for entry in sorted(_visible(folder)):
        found += _files_below(entry, above | {real}) if _is_folder(entry) else [entry]
    return found


def _visible(folder: Path) -> list[Path]:
    """Return what lies in `folder`; names with a dot are the system's (.DS_Store)."""
    try:
        return [entry for entry in folder.iterdir() if not entry.name.startswith(".")]
    except OSError as error:
        raise PipelineError(
            f"download.source: {shown(str(folder))} cannot be read ({error.strerror}); allow "
            "reading it"
        ) from None


def _is_folder(path: Path) -> bool:
    # pathlib's raises where a folder above may not be read.
    return os.path.isdir(path)  # noqa: PTH112


def _images_and_labels(files: list[list[Path]]) -> tuple[np.ndarray, np.ndarray]:
    labels = np.repeat(np.arange(len(files), dtype=np.uint8), [len(kind) for kind in files])
    everything = [file for kind in files for file in kind]
    return np.stack(_of_each(lambda file: decode_picture(str(file)), everything)), labels


def _digest(file: Path) -> str:
    require_regular(str(file))
    try:
        return sha256_of(file)
    except OSError as error:
        raise PictureError(str(file), f"cannot be read ({error.strerror})") from None


def _of_each(function: Callable[[Path], Result], files: list[Path]) -> list[Result]:
    """Return what `function` makes of each file.

    Raises:
        PipelineError: it raises one for some of them: the first, and how many more there are.
    """
    results, failures = [], []
    for file in files:
        try:
            results.append(function(file))
        except PipelineError as error:
            failures.append(str(error))
    if failures:
        more = f" (and {len(failures) - 1:,} more)" if failures[1:] else ""
        raise PipelineError(f"download.source: {failures[0]}{more}; mend or remove it")
    return results
