"""The splits of a user's own images: parts that their folder gave, and parts held out of train."""

import shutil
from pathlib import Path
from typing import NamedTuple

import numpy as np

from cifar_pipeline.common.atomic import replacing
from cifar_pipeline.common.console import say
from cifar_pipeline.common.errors import ParamsError
from cifar_pipeline.dataset.arrays import CLASSES, SPLITS, array_names, load_class_names
from cifar_pipeline.dataset.image_set import (
    FILES,
    FileRecord,
    load_files,
    load_image_set,
    repeated,
    warnings_of_images,
    write_files,
    write_image_set,
)
from cifar_pipeline.dataset.npy_files import open_for_reading, write_rows
from cifar_pipeline.params.preprocess import PreprocessParams
from cifar_pipeline.preprocess.hold_out import hold_out


class _Rows(NamedTuple):
    """The rows of a split: indices, int64 (N,), into the arrays of a part that download wrote."""

    part: str
    indices: np.ndarray


def write_own_splits(raw: Path, processed: Path, params: PreprocessParams) -> dict[str, int]:
    """Write the arrays, names and files of the three splits; return the number of images of each.

    A part that the folder gave is used as it is. A test part that it did not give is held out of
    the training images, and then a validation part.

    Raises:
        PipelineError: as `hold_out`; no training image of a class is left.
    """
    names = load_class_names(raw, "download")
    table = load_files(raw, "download")
    given = {
        part: [FileRecord(*row) for row in table[table["part"] == part].itertuples(index=False)]
        for part in SPLITS
    }
    splits = _splits(given, names, params)
    records = [
        given[splits[split].part][at]._replace(part=split)
        for split in SPLITS
        for at in splits[split].indices
    ]
    described = load_image_set(raw, "download")
    again = _repeated_in_training(records)
    if again.any():
        described = described.model_copy(
            update={
                "repeated": int(again.sum()),
                "repeated_left_out": params.repeated_images == "leave_out",
            }
        )
    for warning in warnings_of_images(described):
        say(f"warning: {warning}")
    if described.repeated_left_out:
        train = splits["train"]
        splits["train"] = train._replace(indices=train.indices[~again])
        training = [record for record, out in zip(records, again, strict=False) if not out]
        _require_every_class(training, names)
        records = [*training, *records[len(again) :]]
    for split, rows in splits.items():
        _write_split(raw, processed, split, rows)
    with replacing(processed / FILES) as temporary:
        write_files(temporary, records)
    with replacing(processed / CLASSES) as temporary:
        shutil.copyfile(raw / CLASSES, temporary)
    write_image_set(processed, described)
    return {split: len(rows.indices) for split, rows in splits.items()}


def _splits(
    given: dict[str, list[FileRecord]], names: tuple[str, ...], params: PreprocessParams
) -> dict[str, _Rows]:
    labels = np.array([record.label for record in given["train"]], np.uint8)
    rest = np.arange(len(labels))
    splits = {part: _Rows(part, np.arange(len(of))) for part, of in given.items() if of}
    for part, size in (("test", params.test_images), ("validation", params.validation_images)):
        if part not in splits:
            given_too = bool(given["validation"])
            kept, held = hold_out(labels[rest], names, size, params.seed, part, given_too)
            splits[part], rest = _Rows("train", rest[held]), rest[kept]
    return {**splits, "train": _Rows("train", rest)}


def _repeated_in_training(records: list[FileRecord]) -> np.ndarray:
    """Return which training images are also in another split or under another label, bool (N,)."""
    places = np.array([SPLITS.index(record.part) for record in records])
    labels = np.array([record.label for record in records])
    groups = np.array([record.group for record in records])
    return repeated(places, labels, groups)[places == SPLITS.index("train")]


def _require_every_class(training: list[FileRecord], names: tuple[str, ...]) -> None:
    without = sorted(set(range(len(names))) - {record.label for record in training})
    if without:
        raise ParamsError(
            "preprocess.repeated_images: leave_out leaves no training image of class "
            f"{names[without[0]]!r}: all of them are also in another part or under another label; "
            "set it to keep, or add images of that class"
        )


def _write_split(raw: Path, processed: Path, split: str, rows: _Rows) -> None:
    images, labels = (open_for_reading(raw / name) for name in array_names(rows.part))
    for name, array in zip(array_names(split), (images, labels), strict=True):
        with replacing(processed / name) as temporary:
            write_rows(temporary, array, rows.indices)
