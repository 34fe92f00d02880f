"""Folders that tell the class of each image: in a folder of each part, or alone."""

import os
from pathlib import Path

from cifar_pipeline.common.console import counted
from cifar_pipeline.images.errors import ImageFolderError
from cifar_pipeline.images.layout import (
    PARTS,
    TRAIN,
    UNDERSTOOD,
    ImageFile,
    ImageFolder,
    class_of,
    is_folder,
    listed,
    part_of,
    require_classes,
    require_distinct,
    visible,
)
from cifar_pipeline.images.paths import SUFFIXES, shown


def of_part_folders(root: Path, parts: dict[str, Path]) -> ImageFolder:
    """Return the images of a folder with a folder of each part: train/CLASS/...

    Args:
        root: the folder.
        parts: the folder of each part, `train` among them.

    Raises:
        ImageFolderError: the parts have other classes, two of them look alike, or one has no
            images.
    """
    layout = f"{', '.join(parts[part].name for part in PARTS if part in parts)} with class folders"
    classes = {part: _class_folders(folder) for part, folder in parts.items()}
    require_distinct(root, (name for names in classes.values() for name in names))
    for part in parts:
        _require_same_classes(root, parts, classes, part)
    ordered = require_classes(root, classes[TRAIN], layout)
    images = {
        part: _images_of(classes[part], ordered, root, parts[part])
        for part in PARTS
        if part in parts
    }
    _require_images(root, classes, images)
    return ImageFolder(root, layout, ordered, images)


def _require_same_classes(
    root: Path, parts: dict[str, Path], classes: dict[str, dict[str, list[Path]]], part: str
) -> None:
    """Refuse a part that has not the classes of the training part."""
    names, others = classes[TRAIN].keys(), classes[part].keys()
    train, other = parts[TRAIN].name, parts[part].name
    if not others:
        raise ImageFolderError(f"{shown(str(parts[part]))} has no class folders; {UNDERSTOOD}")
    alone = [
        f"{listed(sorted(lone))} in {here}/ alone"
        for lone, here in ((names - others, train), (others - names, other))
        if lone
    ]
    if alone:
        raise ImageFolderError(
            f"{shown(str(root))}: {', '.join(alone)}; expected the same classes in {train}/ and "
            f"{other}/"
        )


def of_class_folders(root: Path, folders: dict[str, Path]) -> ImageFolder:
    """Return the images of a folder with class folders alone: CLASS/...

    Args:
        root: the folder.
        folders: in it, by name.

    Raises:
        ImageFolderError: it is laid out in another way; says what was found.
    """
    layout = "class folders alone"
    loose = [entry for entry in visible(root) if entry.suffix.lower() in SUFFIXES]
    if loose and not folders:
        raise ImageFolderError(
            f"{shown(str(root))}: found {counted(len(loose), 'image')} and no folders; {UNDERSTOOD}"
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
    images = {TRAIN: _images_of(classes, ordered, root, root)}
    _require_images(root, {TRAIN: classes}, images)
    return ImageFolder(root, layout, ordered, images)


def _class_folders(folder: Path) -> dict[str, list[Path]]:
    """Return the folders of each class: two where their names are composed in different ways."""
    classes: dict[str, list[Path]] = {}
    entries = visible(folder)
    for entry in filter(is_folder, entries):
        try:
            classes.setdefault(class_of(entry.name), []).append(entry)
        except ImageFolderError as error:
            raise ImageFolderError(f"{shown(str(folder))}: {error}") from None
    loose = [e for e in entries if e.suffix.lower() in SUFFIXES and not is_folder(e)]
    if loose:
        beside = "beside the class folders" if classes else "and no class folders"
        raise ImageFolderError(
            f"{shown(str(folder))}: found {counted(len(loose), 'image')} {beside} "
            f"({shown(loose[0].name)}); put each into the folder of its class"
        )
    return classes


def _images_of(
    classes: dict[str, list[Path]], names: tuple[str, ...], root: Path, part: Path
) -> list[ImageFile]:
    """Return the images of every class, also those of folders inside its folder."""
    around = frozenset(map(os.path.realpath, (root, part)))
    return [
        ImageFile(file, label)
        for label, name in enumerate(names)
        for file in sorted(each for at in classes[name] for each in _files_below(at, around))
    ]


def _require_images(
    root: Path,
    classes: dict[str, dict[str, list[Path]]],
    images: dict[str, list[ImageFile]],
) -> None:
    """Refuse folders of classes without files, all at once."""
    empty = []
    for part, files in images.items():
        filled = {file.label for file in files}
        for label, name in enumerate(sorted(classes[part])):
            if label not in filled:
                empty.append(str(classes[part][name][0].relative_to(root)))
    if empty:
        hold = "holds" if len(empty) == 1 else "hold"
        raise ImageFolderError(
            f"{shown(str(root))}: {listed(empty)} {hold} no images; add some, or remove the "
            "folder of the class in every part"
        )


def _files_below(folder: Path, above: frozenset[str]) -> list[Path]:
    """Return the files in `folder` and in its folders, linked ones too; `above` are around it."""
    real = os.path.realpath(folder)
    if real in above:
        raise ImageFolderError(f"{shown(str(folder))} is a link to a folder around it; remove it")
    found = []
    for entry in visible(folder):
        found += _files_below(entry, above | {real}) if is_folder(entry) else [entry]
    return found
