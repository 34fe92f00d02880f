"""The table of a folder of images: a CSV file that gives each image file its label."""

import csv
import os
from pathlib import Path
from typing import NamedTuple

from cifar_pipeline.common.system_errors import refusal
from cifar_pipeline.images.errors import ImageFolderError
from cifar_pipeline.images.layout import (
    PARTS,
    TRAIN,
    ImageFile,
    ImageFolder,
    class_of,
    part_of,
    require_classes,
)
from cifar_pipeline.images.paths import shown

# The names of the columns, in any case.
_COLUMNS = {
    "file": ("file", "filename", "file_name", "filepath", "path", "image", "image_path"),
    "label": ("label", "class", "category", "target"),
    "part": ("part", "split", "subset"),
}
_DELIMITERS = ",;\t"


class _Row(NamedTuple):
    path: Path
    name: str
    part: str


def read_label_table(root: Path, table: Path) -> ImageFolder:
    """Return the images that `table`, a CSV file in `root`, names.

    Its first line names the columns `file` and `label`, and perhaps `part` (train, val or test).
    Files are relative to `root`. Files that no line names do not count.

    Raises:
        ImageFolderError: it is no such table, or a file lies outside of `root` or stands twice.
    """
    rows = _rows(root, table)
    layout = f"a table, {shown(table.name)}"
    names = require_classes(root, (row.name for row in rows), layout)
    labels = {name: label for label, name in enumerate(names)}
    found: dict[str, list[ImageFile]] = {part: [] for part in PARTS}
    for row in rows:
        found[row.part].append(ImageFile(row.path, labels[row.name]))
    parts = {
        part: sorted(files, key=lambda file: (file.label, file.path))
        for part, files in found.items()
        if files
    }
    if TRAIN not in parts:
        raise ImageFolderError(f"{shown(str(table))}: no line is of the part train")
    for part, files in parts.items():
        without = set(range(len(names))) - {file.label for file in files}
        if without:
            missing = ", ".join(shown(names[label]) for label in sorted(without))
            raise ImageFolderError(f"{shown(str(table))}: no image of {missing} in the part {part}")
    return ImageFolder(root, layout, names, parts, table)


def _rows(root: Path, table: Path) -> list[_Row]:
    try:
        text = table.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ImageFolderError(refusal(error, shown(str(table)), "read")) from None
    except ValueError:
        raise ImageFolderError(f"{shown(str(table))} is not UTF-8; save it as that") from None
    head, *lines = text.splitlines() or [""]
    delimiter = max(_DELIMITERS, key=head.count)
    columns = _columns(next(csv.reader([head], delimiter=delimiter), []), table)
    seen: dict[Path, int] = {}
    rows = []
    for number, fields in enumerate(csv.reader(lines, delimiter=delimiter), start=2):
        if not any(fields):
            continue
        where = f"{shown(str(table))}, line {number}"
        if len(fields) <= max(columns.values()):
            raise ImageFolderError(f"{where}: expected a file and a label")
        row = _row(root, fields, columns, where)
        if row.path in seen:
            raise ImageFolderError(f"{where}: the file stands in line {seen[row.path]} already")
        seen[row.path] = number
        rows.append(row)
    return rows


def _columns(head: list[str], table: Path) -> dict[str, int]:
    """Return the index of each known column."""
    found: dict[str, int] = {}
    for index, name in enumerate(head):
        for column, names in _COLUMNS.items():
            if name.strip().lower() in names:
                found.setdefault(column, index)
    if not {"file", "label"} <= found.keys():
        raise ImageFolderError(
            f"{shown(str(table))}: expected a first line with the columns file and label, got "
            f"{', '.join(map(shown, head)) or 'nothing'}"
        )
    return found


def _row(root: Path, fields: list[str], columns: dict[str, int], where: str) -> _Row:
    file = fields[columns["file"]].strip()
    try:
        name = class_of(fields[columns["label"]])
    except ImageFolderError as error:
        raise ImageFolderError(f"{where}: {error}") from None
    called = fields[columns["part"]].strip() if "part" in columns else TRAIN
    part = part_of(called)
    if part is None:
        raise ImageFolderError(f"{where}: expected train, val or test, got {shown(called)}")
    path = Path(os.path.normpath(root / file))
    outside = ".." in Path(file).parts or Path(file).is_absolute()
    if not file or outside or not _lies_in(path, root):
        raise ImageFolderError(
            f"{where}: {shown(file) or 'an empty name'} is not inside of {shown(str(root))}; name "
            "files relative to that folder"
        )
    return _Row(path, name, part)


def _lies_in(path: Path, root: Path) -> bool:
    """Say whether the file that `path` leads to, links followed, lies in `root`."""
    return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(root))
