"""The table of a folder of images: a CSV file that gives each image file its label."""

import csv
import io
import os
import unicodedata
from collections.abc import Iterator
from pathlib import Path, PureWindowsPath
from typing import NamedTuple

from cifar_pipeline.common.system_errors import refusal
from cifar_pipeline.images.errors import ImageFolderError
from cifar_pipeline.images.layout import (
    PARTS,
    TRAIN,
    ImageFile,
    ImageFolder,
    class_of,
    listed,
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
# What a table with a column for each class has in them, in any case.
_ONE, _ZERO = ("1", "1.0", "true"), ("0", "0.0", "false")
_DELIMITERS = ",;\t"
_SHOWN = 200  # characters of a line, in a message


class _Head(NamedTuple):
    """The first line: its length, the index of each known column, and the classes by index."""

    length: int
    columns: dict[str, int]
    classes: dict[int, str]


class _Row(NamedTuple):
    path: Path
    name: str
    part: str


def read_label_table(root: Path, table: Path) -> ImageFolder:
    """Return the images that `table`, a CSV file in `root`, names.

    Its first line names the columns `file` and `label`, and perhaps `part` (train, val or test).
    Without `label` each other column that has a name is a class, with 1 in the lines of its images
    and 0 in the others. Files are relative to `root`. Files that no line names do not count.

    Raises:
        ImageFolderError: it is no such table, or a file lies outside of `root` or stands twice.
    """
    lines = _lines(table)
    head = _head(next(lines, (1, []))[1], table)
    rows = _rows(root, table, head, lines)
    if not rows:
        raise ImageFolderError(f"{shown(str(table))}: no line below the first names a file")
    if empty := sorted(set(head.classes.values()) - {row.name for row in rows}):
        raise ImageFolderError(
            f"{shown(str(table))}: no line has 1 in the columns {listed(empty)}; remove them, or "
            "add images of these classes"
        )
    layout = f"a table, {shown(table.name)}"
    layout += " with a column for each class" if head.classes else ""
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


def _rows(
    root: Path, table: Path, head: _Head, lines: Iterator[tuple[int, list[str]]]
) -> list[_Row]:
    seen: dict[Path, int] = {}
    rows = []
    for number, fields in lines:
        where = f"{shown(str(table))}, line {number}"
        if len(fields) <= max(*head.columns.values(), *head.classes):
            raise ImageFolderError(f"{where}: expected a file and a label")
        if any(fields[head.length :]):
            raise ImageFolderError(
                f"{where}: {len(fields)} columns, and the first line has {head.length}; put names "
                'with a comma or semicolon between two "'
            )
        row = _row(root, fields, head, where)
        if row.path in seen:
            raise ImageFolderError(
                f"{where}: the file stands in line {seen[row.path]} already; remove one of the two"
            )
        seen[row.path] = number
        rows.append(row)
    return rows


def _lines(table: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield the number and the fields of every line that is not empty."""
    if table.is_fifo():  # reading it may take for ever
        raise ImageFolderError(f"{shown(str(table))} is a pipe; a file was expected")
    try:
        # Universal newlines would change those inside of a name.
        text = table.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise ImageFolderError(refusal(error, shown(str(table)), "read")) from None
    except ValueError:
        raise ImageFolderError(f"{shown(str(table))} is not UTF-8; save it as that") from None
    if "\0" in text:
        raise ImageFolderError(f"{shown(str(table))} has bytes 0; save it as plain text in UTF-8")
    first = next(iter(text.strip().splitlines()), "")
    delimiter = max(_DELIMITERS, key=first.count)
    # Strict: a quote that is never closed would swallow all lines below it.
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True, strict=True
    )
    begins = 1
    while True:
        try:
            fields = next(reader, None)
        except csv.Error as error:
            raise ImageFolderError(
                f"{shown(str(table))}, line {begins}: is not valid CSV ({error}); mend the line"
            ) from None
        if fields is None:
            return
        if any(field.strip() for field in fields):
            yield begins, fields
        begins = reader.line_num + 1


def _head(names: list[str], table: Path) -> _Head:
    """Return what the columns are that the first line names."""
    found: dict[str, int] = {}
    for index, name in enumerate(names):
        for column, known in _COLUMNS.items():
            if name.strip().lower() in known:
                found.setdefault(column, index)
    rest = {
        index: name
        for index, name in enumerate(names)
        if name.strip() and index not in found.values()
    }
    if {"file", "label"} <= found.keys():
        return _Head(len(names), found, {})
    if "file" not in found or len(rest) < 2:
        raise ImageFolderError(
            f"{shown(str(table))}: expected a first line with the columns file and label (or file "
            "and a column of 0 and 1 for each class), got "
            f"{', '.join(map(shown, names))[:_SHOWN] or 'nothing'}; name the columns so, or move "
            "this file away where folders tell the classes"
        )
    where = f"{shown(str(table))}, line 1"
    return _Head(len(names), found, {at: _class_of(name, where) for at, name in rest.items()})


def _class_of(name: str, where: str) -> str:
    try:
        return class_of(name)
    except ImageFolderError as error:
        raise ImageFolderError(f"{where}: {error}") from None


def _only_one(fields: list[str], classes: dict[int, str], where: str) -> str:
    """Return the class whose column has 1.

    Raises:
        ImageFolderError: the others have not 0, or none has 1.
    """
    values = [(name, fields[index].strip()) for index, name in classes.items()]
    ones = [name for name, value in values if value.lower() in _ONE]
    others = [each for each in values if each[1].lower() not in (*_ONE, *_ZERO)]
    if len(ones) == 1 and not others:
        return ones[0]
    if others:
        name, value = others[0]
        got = f"{shown(value)[:_SHOWN] or 'nothing'} in {shown(name)}"
    else:
        got = f"1 in {listed(ones)}" if ones else "no 1"
    raise ImageFolderError(
        f"{where}: no column is named label, so each column beside the file is a class, with 1 in "
        f"one of them and 0 in the others; got {got}; images of several classes or of none are not "
        "understood"
    )


def _row(root: Path, fields: list[str], head: _Head, where: str) -> _Row:
    columns = head.columns
    file = fields[columns["file"]].strip()
    if head.classes:
        name = _only_one(fields, head.classes, where)
    else:
        name = _class_of(fields[columns["label"]], where)
    called = fields[columns["part"]].strip() if "part" in columns else TRAIN
    part = part_of(called)
    if part is None:
        raise ImageFolderError(
            f"{where}: expected train, val or test, got {shown(called)[:_SHOWN] or 'nothing'}"
        )
    return _Row(_path_of(root, file, where), name, part)


def _path_of(root: Path, file: str, where: str) -> Path:
    """Return where a file lies that a table names.

    Raises:
        ImageFolderError: it may lie outside of `root`.
    """
    file = _as_spelt(root, file)
    path = Path(os.path.normpath(root / file))
    if not file:
        wrong = "no file is named"
    elif Path(file).is_absolute() or PureWindowsPath(file).is_absolute():
        wrong = f"{shown(file)} is an absolute path"
    elif ".." in Path(file).parts:
        wrong = f"{shown(file)} has .. in it"
    elif not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(root)):
        wrong = f"{shown(file)} is a link out of {shown(str(root))}"
    else:
        return path
    raise ImageFolderError(
        f"{where}: {wrong}; expected files that lie in {shown(str(root))}, named relative to it"
    )


def _as_spelt(root: Path, file: str) -> str:
    r"""Return a name as the file system spells it: / for \, letters composed in the other way."""
    slashed = file.replace("\\", "/")
    spellings = [
        file,
        *(unicodedata.normalize(form, name) for name in (file, slashed) for form in ("NFC", "NFD")),
    ]
    return next((name for name in spellings if os.path.lexists(root / name)), file)
