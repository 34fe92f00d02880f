"""The splits of a user's own images: parts that their folder gave, and parts held out of train."""

import csv
import shutil
from pathlib import Path

import numpy as np

from cifar_pipeline.common.atomic import replacing
from cifar_pipeline.common.console import say
from cifar_pipeline.dataset.arrays import CLASSES, SPLITS, array_names, load_class_names
from cifar_pipeline.dataset.image_set import (
    FILES,
    IMAGE_SET,
    FileRecord,
    load_files,
    repeated,
    write_files,
)
from cifar_pipeline.dataset.npy_files import open_for_reading, write_rows
from cifar_pipeline.params.preprocess import PreprocessParams
from cifar_pipeline.preprocess.hold_out import hold_out

_GIVEN = {"validation": "preprocess.validation_images", "test": "preprocess.test_images"}


def write_own_splits(raw: Path, processed: Path, params: PreprocessParams) -> dict[str, int]:
    """Write the arrays, names and files of the three splits; return the number of images of each.

    A part that the folder gave is used as it is; a test part that it did not give is held out of
    the training images, and then a validation part.

    Raises:
        PipelineError: as `hold_out`.
    """
    names = load_class_names(raw, "download")
    table = load_files(raw, "download")
    records = [FileRecord(*row) for row in table.itertuples(index=False)]
    given = {part: [r for r in records if r.part == part] for part in SPLITS}
    labels = {part: np.array([r.label for r in of], np.uint8) for part, of in given.items()}
    rows = {part: (part, np.arange(len(of))) for part, of in given.items() if of}
    rest = rows["train"][1]
    for part, size in (("test", params.test_images), ("validation", params.validation_images)):
        if part not in rows:
            kept, held = hold_out(labels["train"][rest], names, size, params.seed, part)
            rows[part], rest = ("train", rest[held]), rest[kept]
    rows["train"] = ("train", rest)
    rows["train"] = ("train", _without_repeated(given, rows, params))
    for split in SPLITS:
        part, indices = rows[split]
        _write_split(raw, processed, split, part, indices)
    with replacing(processed / FILES) as temporary:
        write_files(
            temporary,
            [given[rows[s][0]][at]._replace(part=s) for s in SPLITS for at in rows[s][1]],
        )
    for name in (CLASSES, IMAGE_SET):
        with replacing(processed / name) as temporary:
            shutil.copyfile(raw / name, temporary)
    return {split: len(rows[split][1]) for split in SPLITS}
