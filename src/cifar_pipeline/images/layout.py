"""How a folder says which class, and which part of the set, each of its images belongs to.

Understood are: a folder for each part with class folders in it (train/CLASS/..., perhaps val/ and
test/ too); class folders alone; and one table, a CSV file of image files and labels.
"""

import os
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from cifar_pipeline.common.system_errors import refusal
from cifar_pipeline.images.errors import ImageFolderError
from cifar_pipeline.images.paths import SUFFIXES, shown

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
_SYSTEM = frozenset({"thumbs.db", "desktop.ini", "__macosx"})  # of systems, as is ".DS_Store"


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
    if not root.is_dir():
        found = "is no folder" if root.exists() else "does not exist"
        raise ImageFolderError(f"{shown(str(root))} {found}; {UNDERSTOOD}")
    folders = {entry.name: entry for entry in visible(root) if is_folder(entry)}
    parts = _part_folders(root, folders)
    if TRAIN in parts:
        return _of_part_folders(root, parts)
    if parts:
        raise ImageFolderError(
            f"{shown(str(root))}: found {', '.join(sorted(folders))} and no train/; {UNDERSTOOD}"
        )
    tables = [entry for entry in visible(root) if entry.suffix.lower() == ".csv"]
    if len(tables) == 1:
        from cifar_pipeline.images.label_table import read_label_table  # it needs this module

        return read_label_table(root, tables[0])
    if tables:
        names = ", ".join(shown(table.name) for table in tables)
        raise ImageFolderError(f"{shown(str(root))}: found {names}, expected one .csv at most")
    return _of_class_folders(root, folders)


def part_of(name: str) -> str | None:
    """Return the part that a folder or a table calls `name`; None for any other name."""
    return next((part for part, names in PART_NAMES.items() if name.lower() in names), None)


def class_of(name: str) -> str:
    """Return the name of the class that a folder or a table calls `name`.

    Names that look the same are one class: file systems and programs compose letters in different
    ways.

    Raises:
        ImageFolderError: it cannot be shown, in a table or on a terminal.
    """
    composed = unicodedata.normalize("NFC", name).strip()
    if not composed or not composed.isprintable():
        raise ImageFolderError(f"{name!r} cannot be the name of a class; rename it")
    return composed


def require_classes(root: Path, names: Iterable[str], layout: str) -> tuple[str, ...]:
    """Return the names of the classes, sorted.

    Raises:
        ImageFolderError: there is one class, or more than labels can count.
    """
    found = tuple(sorted(set(names)))
    if len(found) > MOST_CLASSES:
        raise ImageFolderError(
            f"{shown(str(root))}: {len(found):,} classes, and labels count {MOST_CLASSES} at most"
        )
    if len(found) < 2:
        raise ImageFolderError(
            f"{shown(str(root))}: {len(found)} classes ({layout}), expected two or more; "
            f"{UNDERSTOOD}"
        )
    return found


def visible(folder: Path) -> list[Path]:
    """Return what lies in `folder`, sorted; what systems leave there (.DS_Store) does not count.

    Raises:
        ImageFolderError: it cannot be read.
    """
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        raise ImageFolderError(refusal(error, shown(str(folder)), "read")) from None
    return [
        entry
        for entry in entries
        if not entry.name.startswith(".") and entry.name.lower() not in _SYSTEM
    ]


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


def _of_part_folders(root: Path, parts: dict[str, Path]) -> ImageFolder:
    layout = f"{', '.join(parts[part].name for part in PARTS if part in parts)} with class folders"
    classes = {part: _class_folders(folder) for part, folder in parts.items()}
    names = set(classes[TRAIN])
    for part, found in classes.items():
        if alone := sorted(names ^ set(found)):
            shown_names = ", ".join(map(shown, alone))
            raise ImageFolderError(
                f"{shown(str(root))}: {shown_names} in one part only ({parts[TRAIN].name}/ or "
                f"{parts[part].name}/); expected the same classes in each"
            )
    ordered = require_classes(root, names, layout)
    images = {
        part: _images_of(classes[part], ordered, root, parts[part])
        for part in PARTS
        if part in parts
    }
    return ImageFolder(root, layout, ordered, images)


def _of_class_folders(root: Path, folders: dict[str, Path]) -> ImageFolder:
    layout = "class folders alone"
    loose = [entry for entry in visible(root) if entry.suffix.lower() in SUFFIXES]
    if loose and not folders:
        raise ImageFolderError(
            f"{shown(str(root))}: found {len(loose):,} images and no folders; {UNDERSTOOD}"
        )
    inner = {name: list(filter(is_folder, visible(at))) for name, at in folders.items()}
    if len(folders) == 1 and any(inner.values()):
        name = next(iter(folders))
        raise ImageFolderError(
            f"{shown(str(root))}: found nothing but the folder {shown(name)}; name that one: "
            f"{shown(str(root / name))}"
        )
    for name, found in inner.items():
        if parts := [each.name for each in found if part_of(each.name)]:
            raise ImageFolderError(
                f"{shown(str(root))}: found {shown(name)}/{parts[0]}/; expected the part above "
                f"the class, {parts[0]}/{shown(name)}/"
            )
    if all(found and found == visible(folders[name]) for name, found in inner.items()) and inner:
        name, found = next(iter(inner.items()))
        raise ImageFolderError(
            f"{shown(str(root))}: found no images in {shown(name)} but folders in it, such as "
            f"{shown(found[0].name)}; {UNDERSTOOD}"
        )
    classes = _class_folders(root)
    ordered = require_classes(root, classes, layout)
    return ImageFolder(root, layout, ordered, {TRAIN: _images_of(classes, ordered, root, root)})


def _class_folders(folder: Path) -> dict[str, list[Path]]:
    """Return the folders of each class: two where their names are composed in different ways."""
    classes: dict[str, list[Path]] = {}
    entries = visible(folder)
    for entry in filter(is_folder, entries):
        classes.setdefault(class_of(entry.name), []).append(entry)
    loose = [e for e in entries if e.suffix.lower() in SUFFIXES and not is_folder(e)]
    if loose:
        raise ImageFolderError(
            f"{shown(str(folder))}: found {len(loose):,} images beside the class folders "
            f"({shown(loose[0].name)}); put each into the folder of its class"
        )
    return classes


def _images_of(
    classes: dict[str, list[Path]], names: tuple[str, ...], root: Path, part: Path
) -> list[ImageFile]:
    """Return the images of every class, also those of folders inside its folder."""
    around = frozenset(map(os.path.realpath, (root, part)))
    images = []
    for label, name in enumerate(names):
        files = sorted(file for folder in classes[name] for file in _files_below(folder, around))
        if not files:
            raise ImageFolderError(f"{shown(str(classes[name][0]))} holds no images; {UNDERSTOOD}")
        images += [ImageFile(file, label) for file in files]
    return images


def _files_below(folder: Path, above: frozenset[str]) -> list[Path]:
    """Return the files in `folder` and in its folders, linked ones too; `above` are around it."""
    real = os.path.realpath(folder)
    if real in above:
        raise ImageFolderError(f"{shown(str(folder))} is a link to a folder around it; remove it")
    found = []
    for entry in visible(folder):
        found += _files_below(entry, above | {real}) if is_folder(entry) else [entry]
    return found
