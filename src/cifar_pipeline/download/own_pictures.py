"""Pictures of one's own in place of CIFAR-10: `train/CLASS/...` and `test/CLASS/...` in a folder.

They become batch files in the official format, so that everything after this stage is the same.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cifar_pipeline.batches import (
    CLASS_NAMES_FILE,
    MOST_CLASSES,
    TEST_BATCH,
    TRAIN_BATCHES,
    class_names_text,
    encode_batch,
)
from cifar_pipeline.checksums import sha256_of
from cifar_pipeline.download.install import install
from cifar_pipeline.errors import PipelineError
from cifar_pipeline.picture_decoding import decode_picture

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
        PipelineError: the folder is of another shape, or the pictures are others.
    """
    names = _class_names(folder)
    files = {part: _files_by_class(folder / part, names) for part in _PARTS}
    everything = sorted(file for part in files.values() for kind in part for file in kind)
    lines = [f"{sha256_of(file)}  {file.relative_to(folder).as_posix()}\n" for file in everything]
    digest = hashlib.sha256("".join(lines).encode()).hexdigest()
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
        part: {entry.name for entry in _visible(folder / part) if entry.is_dir()} for part in _PARTS
    }
    alone = found["train"] ^ found["test"]
    if alone:
        raise PipelineError(
            f"download.source: {folder}: {', '.join(sorted(alone))} in one part only; {_SHAPE}"
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
    files = [_files_below(part / name) for name in names]
    empty = [name for name, found in zip(names, files, strict=True) if not found]
    if empty:
        raise PipelineError(f"download.source: {part / empty[0]} holds no pictures; {_SHAPE}")
    return files


def _files_below(folder: Path) -> list[Path]:
    found = []
    for entry in sorted(_visible(folder)):
        found += _files_below(entry) if entry.is_dir() else [entry]
    return found


def _visible(folder: Path) -> list[Path]:
    """Return what lies in `folder`; names with a dot are the system's (.DS_Store)."""
    return [entry for entry in folder.iterdir() if not entry.name.startswith(".")]


def _images_and_labels(files: list[list[Path]]) -> tuple[np.ndarray, np.ndarray]:
    images, labels, failures = [], [], []
    for label, kind in enumerate(files):
        for file in kind:
            try:
                images.append(decode_picture(str(file)))
                labels.append(label)
            except PipelineError as error:
                failures.append(str(error))
    if failures:
        more = f" (and {len(failures) - 1:,} more)" if failures[1:] else ""
        raise PipelineError(f"download.source: {failures[0]}{more}; mend or remove it")
    return np.stack(images), np.array(labels, np.uint8)
