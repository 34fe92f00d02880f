"""What a project has adopted: kept in the user's cache, for the next time and for the way back."""

import hashlib
import json
import os
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel, ValidationError

from cifar_pipeline.common.atomic import replacing
from cifar_pipeline.common.errors import PipelineError
from cifar_pipeline.dataset.arrays import load_class_names
from cifar_pipeline.dataset.image_set import load_files, load_image_set
from cifar_pipeline.download.cache import cache_folder
from cifar_pipeline.download.contents import Contents
from cifar_pipeline.images.layout import ImageFolder

_UNKNOWN = "?"  # the SHA-256 of a file that was not noted


class NotedFile(NamedTuple):
    """A file of the folder: its part, its class and the beginning of the SHA-256 of its bytes."""

    part: str
    name: str
    sha256: str


class Adoption(BaseModel):
    """An adoption.

    Attributes:
        digest: of the folder.
        files: by their paths in the folder.
        before: of each key that was written, a list with the value that it had before, when the
            pipeline was on CIFAR-10; empty where it did not stand in params.yaml.
        model: the preset that was written; None: none was.
    """

    digest: str
    files: dict[str, NotedFile]
    before: dict[str, list[Any]]
    model: str | None = None


class Changes(NamedTuple):
    """What has changed in a folder, as paths in it.

    Attributes:
        added: new files.
        removed: files that are gone.
        changed: files with other bytes, or of another part or class.
        renamed: the new path of each file whose bytes stand under another one.
    """

    added: list[str]
    removed: list[str]
    changed: list[str]
    renamed: dict[str, str]


def noted_files(images: ImageFolder, contents: Contents) -> dict[str, NotedFile]:
    """Return every file of a folder as it is noted."""
    return {
        str(file.path.relative_to(images.root)): NotedFile(
            part, images.names[file.label], contents.sha256[file.path][:16]
        )
        for part, files in images.parts.items()
        for file in files
    }


def changes_between(before: Mapping[str, NotedFile], after: Mapping[str, NotedFile]) -> Changes:
    """Return what has changed between two looks at a folder."""
    added, removed = sorted(after.keys() - before.keys()), sorted(before.keys() - after.keys())
    renamed = _renamed(
        {name: before[name].sha256 for name in removed},
        {name: after[name].sha256 for name in added},
    )
    new_names = set(renamed.values())
    return Changes(
        added=[name for name in added if name not in new_names],
        removed=[name for name in removed if name not in renamed],
        renamed=renamed,
        changed=sorted(
            name
            for name in after.keys() & before.keys()
            if after[name][:2] != before[name][:2]
            or before[name].sha256 not in (_UNKNOWN, after[name].sha256)
        ),
    )


def _renamed(removed: Mapping[str, str], added: Mapping[str, str]) -> dict[str, str]:
    """Return the added file of the same bytes for each removed one; the arguments are SHA-256."""
    places: dict[str, list[str]] = {}
    for name, digest in sorted(added.items(), reverse=True):
        places.setdefault(digest, []).append(name)
    return {
        name: places[digest].pop()
        for name, digest in removed.items()
        if digest != _UNKNOWN and places.get(digest)
    }


def renamed_classes(
    changes: Changes, before: Mapping[str, NotedFile], after: Mapping[str, NotedFile]
) -> dict[str, str]:
    """Return the new name of each class that is gone, and whose files are all of one new class."""
    known = {file.name for file in before.values()}
    left = {file.name for file in after.values()}
    found: dict[str, set[str]] = {}
    for path, file in before.items():
        new = changes.renamed.get(path)
        found.setdefault(file.name, set()).add(after[new].name if new else file.name)
    # Two classes that have become one are not renamed.
    claimed = Counter(new for names in found.values() for new in names)
    return {
        name: min(names)
        for name, names in found.items()
        if name not in left and not names & known and len(names) == claimed[min(names)] == 1
    }


def files_in_raw(raw: Path, digest: str | None) -> dict[str, NotedFile] | None:
    """Return the files of a folder as `download` has left their names; None where it has not.

    Another machine has no notes, but perhaps what DVC has of the pictures. Of the files' bytes
    nothing is known then.

    Args:
        raw: data/raw.
        digest: of the folder.
    """
    try:
        described = load_image_set(raw, "download")
        if described.pictures != digest or described.left_out:  # what was left out has no name
            return None
        names = load_class_names(raw, "download")
        table = load_files(raw, "download")
    except PipelineError:
        return None
    rows = zip(table["file"], table["part"], table["label"], strict=True)
    return {file: NotedFile(part, names[label], _UNKNOWN) for file, part, label in rows}


def read_adoption(params: Path) -> Adoption | None:
    """Return the last adoption of the project of this params.yaml; None where none is known."""
    try:
        return Adoption.model_validate(json.loads(_path(params).read_text(encoding="utf-8")))
    except (OSError, ValueError, ValidationError):
        return None


def write_adoption(params: Path, adoption: Adoption) -> None:
    """Note an adoption. Without these notes less is known the next time, and nothing fails."""
    with suppress(OSError), replacing(_path(params)) as temporary:
        temporary.write_text(json.dumps(adoption.model_dump()), encoding="utf-8")


def forget_adoption(params: Path) -> None:
    """Remove the notes."""
    with suppress(OSError):
        _path(params).unlink(missing_ok=True)


def _path(params: Path) -> Path:
    name = hashlib.sha256(os.fsencode(params.resolve())).hexdigest()[:16]
    return cache_folder() / f"adopted-{name}.json"
