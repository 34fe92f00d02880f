"""How a folder says which class, and which part of the set, each of its images belongs to.

Understood are: a folder for each part with class folders in it (train/CLASS/..., perhaps val/ and
test/ too); class folders alone; and one table, a CSV file of image files and labels.
"""

import os
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from cifar_pipeline.common.characters import escaped, unprintable, without_unseen
from cifar_pipeline.common.system_errors import refusal
from cifar_pipeline.images.errors import ImageFolderError
from cifar_pipeline.images.paths import is_hidden, shown

_SHOWN = 10  # names in a message
MOST_CLASSES = 256  # a label is a byte
TRAIN, VALIDATION, TEST = "train", "validation", "test"
PARTS = (TRAIN, VALIDATION, TEST)
# The names of each part's folder, in any case; a table's column of parts has the same ones.
PART_NAMES: Final = {
    TRAIN: ("train", "training"),
    VALIDATION: ("val", "valid", "validation"),
    TEST: ("test", "testing"),
}
UNDERSTOOD = (
    "understood are train/CLASS/ (perhaps with val/CLASS/ and test/CLASS/), class folders alone, "
    "or one .csv with the columns file and label"
)


class ImageFile(NamedTuple):
    """An image file and the index of its class."""

    path: Path
    label: int


@dataclass(frozen=True)
class ImageFolder:
    """A folder of images as it is understood.

    Attributes:
        root: the folder.
        layout: how it is laid out, in words.
        names: of the classes, sorted, in Unicode's composed form (NFC).
        parts: the images of each part that there is, `train` among them, by class and path.
        table: the CSV file of labels where there is one.
    """

    root: Path
    layout: str
    names: tuple[str, ...]
    parts: dict[str, list[ImageFile]]
    table: Path | None = None

    @property
    def files(self) -> list[ImageFile]:
        """All images, part after part."""
        return [file for part in PARTS for file in self.parts.get(part, [])]


def find_images(root: Path) -> ImageFolder:
    """Find the images of `root`, their classes and parts. No image is opened.

    Raises:
        ImageFolderError: there is no such folder, or it is laid out in another way; one line.
    """
    # They need this module.
    from cifar_pipeline.images.class_folders import of_class_folders, of_part_folders
    from cifar_pipeline.images.label_table import read_label_table

    if not root.is_dir():
        found = "is a file (unpack an archive first)" if root.exists() else "does not exist"
        raise ImageFolderError(f"{shown(str(root))} {found}; {UNDERSTOOD}")
    folders = {entry.name: entry for entry in visible(root) if is_folder(entry)}
    parts = _part_folders(root, folders)
    tables = [
        entry for entry in visible(root) if entry.suffix.lower() == ".csv" and not is_folder(entry)
    ]
    # Folders of parts without class folders in them: the table tells the classes.
    flat = len(tables) == 1 and not any(map(_has_folders, parts.values()))
    if TRAIN in parts and not flat:
        return of_part_folders(root, parts)
    if parts and not flat:
        raise ImageFolderError(
            f"{shown(str(root))}: found {listed(sorted(each.name for each in parts.values()))} "
            f"and no train/; {UNDERSTOOD}; a class of such a name has to be renamed"
        )
    if len(tables) == 1:
        return read_label_table(root, tables[0])
    if tables:
        names = listed([table.name for table in tables])
        raise ImageFolderError(f"{shown(str(root))}: found {names}, expected one .csv at most")
    return of_class_folders(root, folders)


def part_of(name: str) -> str | None:
    """Return the part that a folder or a table calls `name`; None for any other name."""
    return next((part for part, names in PART_NAMES.items() if name.lower() in names), None)


def class_of(name: str) -> str:
    """Return the name of the class that a folder or a table calls `name`.

    Names that look the same are one class: file systems and programs compose letters in different
    ways. Joiners stay where emoji and scripts need them.

    Raises:
        ImageFolderError: it cannot be shown, in a table or on a terminal.
    """
    composed = unicodedata.normalize("NFC", name).strip()
    if not composed:
        raise ImageFolderError("an empty name cannot be the name of a class; rename it")
    if unseen := sorted({composed[at] for at in unprintable(composed)}):
        raise ImageFolderError(
            f"{shown(name)} cannot be the name of a class: it has characters that cannot be seen "
            f"({', '.join(map(shown, unseen))}); rename it"
        )
    return composed


def require_classes(root: Path, names: Iterable[str], layout: str) -> tuple[str, ...]:
    """Return the names of the classes, sorted.

    Raises:
        ImageFolderError: there is one class, more than labels can count, or two that look alike.
    """
    found = tuple(sorted(set(names)))
    require_distinct(root, found)
    if not found:
        raise ImageFolderError(f"{shown(str(root))}: found no folders and no table; {UNDERSTOOD}")
    if len(found) > MOST_CLASSES:
        raise ImageFolderError(
            f"{shown(str(root))}: {len(found):,} classes, and labels count {MOST_CLASSES} at most"
        )
    if len(found) < 2:
        raise ImageFolderError(
            f"{shown(str(root))}: found one class, {shown(found[0])} ({layout}), expected two or "
            f"more; {UNDERSTOOD}"
        )
    return found


def require_distinct(root: Path, names: Iterable[str]) -> None:
    """Refuse names of classes that differ in nothing that is seen.

    Raises:
        ImageFolderError: there are two such names; says which.
    """
    alike: dict[str, str] = {}
    for name in sorted(set(names)):
        other = alike.setdefault(without_unseen(name), name)
        if other != name:
            raise ImageFolderError(
                f"{shown(str(root))}: the classes {escaped(other)} and {escaped(name)} look alike; "
                "give both the same name where they are one class, else rename one"
            )


def visible(folder: Path) -> list[Path]:
    """Return what lies in `folder`, sorted; what systems leave there (.DS_Store) does not count.

    Raises:
        ImageFolderError: it cannot be read.
    """
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        raise ImageFolderError(refusal(error, shown(str(folder)), "read")) from None
    return [entry for entry in entries if not is_hidden(entry.name)]


def is_folder(path: Path) -> bool:
    """Say whether there is a folder at `path`, or a link to one."""
    # pathlib's raises where a folder above may not be read.
    return os.path.isdir(path)  # noqa: PTH112


def _part_folders(root: Path, folders: dict[str, Path]) -> dict[str, Path]:
    """Return the folder of each part."""
    parts: dict[str, Path] = {}
    for name, folder in folders.items():
        part = part_of(name)
        if part in parts:
            raise ImageFolderError(
                f"{shown(str(root))}: {parts[part].name} and {name} are the same part; keep one"
            )
        if part:
            parts[part] = folder
    return parts


def listed(names: Sequence[str]) -> str:
    """Return the first names of a list for a message, and how many more there are."""
    more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
    return ", ".join(map(shown, names[:_SHOWN])) + more


def _has_folders(folder: Path) -> bool:
    return any(map(is_folder, visible(folder)))
