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
_SHOWN = 200  # characters of a line, in a message


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
    if not rows:
        raise ImageFolderError(f"{shown(str(table))}: no line below the first names a file")
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
    lines = _lines(table)
    _, head = next(lines, (1, []))
    columns = _columns(head, table)
    seen: dict[Path, int] = {}
    rows = []
    for number, fields in lines:
        where = f"{shown(str(table))}, line {number}"
        if len(fields) <= max(columns.values()):
            raise ImageFolderError(f"{where}: expected a file and a label")
        if any(fields[len(head) :]):
            raise ImageFolderError(
                f"{where}: {len(fields)} columns, and the first line has {len(head)}; put names "
                'with a comma or semicolon between two "'
            )
        row = _row(root, fields, columns, where)
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
            f"{', '.join(map(shown, head))[:_SHOWN] or 'nothing'}; name the columns so, or move "
            "this file away where folders tell the classes"
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
