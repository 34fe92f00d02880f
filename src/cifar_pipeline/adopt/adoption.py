"""Turn params.yaml to a folder of the user's own pictures."""

import os
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console

from cifar_pipeline.adopt.check_pictures import note_sums
from cifar_pipeline.adopt.choices import (
    CIFAR10,
    LARGE,
    Choice,
    Options,
    advice,
    chosen_by_options,
    held_out,
    recommend,
)
from cifar_pipeline.adopt.notes import (
    Adoption,
    NotedFile,
    changes_between,
    files_in_raw,
    noted_files,
    read_adoption,
    renamed_classes,
    write_adoption,
)
from cifar_pipeline.adopt.output import make_console, print_changes, print_choices, print_survey
from cifar_pipeline.adopt.params_file import (
    MISSING,
    PICTURES,
    changed,
    read_params,
    value_of,
    with_values,
    write_text,
)
from cifar_pipeline.adopt.survey import CHANNELS, Survey, survey
from cifar_pipeline.common.atomic import require_writable
from cifar_pipeline.common.errors import PipelineError
from cifar_pipeline.download.contents import FAULTS, list_faults, require_every_class
from cifar_pipeline.download.picture_source import is_picture_folder, local_source
from cifar_pipeline.images.errors import ImageFolderError
from cifar_pipeline.images.layout import ImageFolder, find_images
from cifar_pipeline.images.paths import shown
from cifar_pipeline.params.download import missing_keys
from cifar_pipeline.params.loading import is_text
from cifar_pipeline.params.whole_file import Params, validate_whole
from cifar_pipeline.preprocess.hold_out import require_splits


def adopt_folder(folder: Path, path: Path, options: Options) -> None:
    """Look at every picture of `folder` and write what the pipeline needs of it into params.yaml.

    Where params.yaml has adopted it already, perhaps from another place, only its source, its
    digest and what the options say is written.

    Args:
        folder: of pictures.
        path: of params.yaml, in the project's root.
        options: of the user.

    Raises:
        ParamsError: params.yaml, as it is or as it would be, cannot be used; or an option.
        PipelineError: the folder cannot be used.
    """
    content = read_params(path)
    now = validate_whole(content, path)
    _require_possible(options, content, path)
    if not folder.exists():  # a shell expands ~ not everywhere
        folder = Path(os.path.expanduser(folder))  # noqa: PTH111
    images = _opened(folder, path)
    source = _written_source(folder, path)
    require_writable(path.resolve().parent, path.resolve().name)
    console = make_console()
    read_from = time.time()
    found = survey(images, options.fit or now.download.fit)
    note_sums(images, found.contents.sha256, read_from)
    again = now.download.pictures is not None and (
        now.download.pictures == found.digest  # perhaps the folder has moved
        or _same_folder(now.download.source, folder, path)
    )
    listing = path.parent / "data" / FAULTS
    list_faults(listing, images, found.contents)
    _require_images(found, listing)
    print_survey(console, found, listing)
    require_every_class(images, found.contents)
    _require_something(found)
    notes = read_adoption(path)
    files = noted_files(images, found.contents)
    raw = path.parent / "data" / "raw"
    known = notes.files if notes else files_in_raw(raw, now.download.pictures)
    told = again and known is not None and _tell_changes(console, known, files)

    reasons = {
        "download.source": "relative to the project" if not source.startswith("/") else "",
        PICTURES: "of the bytes of all files",
    }
    identity = [
        Choice(key, value, reasons[key])
        for key, value in (("download.source", source), (PICTURES, found.digest))
    ]
    # What else stands there was chosen at the first adoption, or by the user since.
    rest = (
        [*_parts_gone(found, notes), *chosen_by_options(options)]
        if again
        else recommend(found, options, content)[0]
    )
    by_key = {choice.key: choice for choice in (*identity, *_tracked(content), *rest)}
    choices = list(by_key.values())
    text, after = changed(path, {choice.key: choice.value for choice in choices})
    _require_usable(validate_whole(after, path), found)
    write_adoption(path, _noted(content, choices, notes, found, files, again))
    if not write_text(path, text):
        console.print(f"{path}: nothing has changed, and nothing was written")
    else:
        print_choices(console, path, choices, lambda key: value_of(content, key))
        if again and not told and found.digest != now.download.pictures:
            console.print("the pictures are others than at the last adoption")
    values = {key: value_of(after, key) for key in CIFAR10}
    for sentence in advice(found, values, after):
        console.print(sentence)
    if found.contents.faults and values["download.broken_images"] != "leave_out":
        console.print(
            "`make repro` will stop at the broken files: mend or remove them and adopt the folder "
            "again, or adopt it with `--broken-images leave_out`."
        )
    else:
        console.print("The next step: `make repro`.")


def _require_possible(options: Options, content: Mapping[str, Any], path: Path) -> None:
    """Refuse options that can be no values of params.yaml, before all pictures are looked at."""
    said = {choice.key: choice.value for choice in chosen_by_options(options)}
    # Where no size is said, a preset may need the one that will be recommended.
    validate_whole(with_values(content, {"download.image_size": LARGE, **said}), path)


def _opened(folder: Path, path: Path) -> ImageFolder:
    if folder.is_dir():
        if not is_picture_folder(folder):
            raise PipelineError(
                f"{shown(str(folder))} holds CIFAR-10's own files, not pictures; name it as "
                "download.source in params.yaml"
            )
        if path.resolve().is_relative_to(folder.resolve()):
            raise PipelineError(
                f"{shown(str(folder))} holds this project itself; name a folder of pictures alone"
            )
    try:
        return find_images(folder)
    except ImageFolderError as error:
        raise PipelineError(str(error)) from None


def _require_images(found: Survey, listing: Path) -> None:
    if not found.contents.kinds:
        path, why = next(iter(sorted(found.contents.faults.items())))
        raise PipelineError(
            f"{shown(str(found.images.root))}: none of {len(found.contents.sha256):,} files can be "
            f"used (all of them: {listing}), such as {shown(str(path))}: {why}"
        )


def _require_something(found: Survey) -> None:
    if len(found.constant) == len(CHANNELS):
        raise PipelineError(
            f"{shown(str(found.images.root))}: all pixels of all pictures have one and the same "
            "colour; nothing can be learnt of them"
        )


def _tracked(content: Mapping[str, Any]) -> list[Choice]:
    """Return what a params.yaml of before lacks, and dvc.yaml tracks."""
    return [
        Choice(f"download.{key}", value, "dvc.yaml tracks it")
        for key, value in missing_keys(content["download"]).items()
    ]


def _parts_gone(found: Survey, notes: Adoption | None) -> list[Choice]:
    """Return the shares of parts that the folder gave at the last adoption, and gives no more."""
    given = {file.part for file in notes.files.values()} if notes else set()
    return [
        choice
        for choice in held_out(found)
        if choice.key in {f"preprocess.{part}_images" for part in given}
    ]


def _written_source(folder: Path, path: Path) -> str:
    """Return the folder as params.yaml names it: relative to the project where it lies in it."""
    absolute = Path(os.path.abspath(folder))  # noqa: PTH100 - links stay what they are
    root = Path(os.path.abspath(path.parent))  # noqa: PTH100
    source = str(absolute.relative_to(root) if absolute.is_relative_to(root) else absolute)
    if not is_text(source):
        raise PipelineError(
            f"{shown(source)}: this name is not UTF-8, as all of params.yaml is; rename the folder"
        )
    return f"./{source}" if source.startswith("~") else source


def _same_folder(source: str | None, folder: Path, path: Path) -> bool:
    named = local_source(source)
    return named is not None and (path.parent / named).resolve() == folder.resolve()


def _tell_changes(
    console: Console, before: Mapping[str, NotedFile], files: Mapping[str, NotedFile]
) -> bool:
    """Tell what has changed since the last adoption; say whether anything was told."""
    changes = changes_between(before, files)
    if not any(changes):
        return False
    numbers = (Counter(file.name for file in each.values()) for each in (before, files))
    print_changes(console, changes, renamed_classes(changes, before, files), *numbers)
    return True


def _require_usable(params: Params, found: Survey) -> None:
    """Find out whether the splits can be made of the images that can be used."""
    require_splits(found.counts, found.images.names, params.preprocess)


def _noted(
    content: Mapping[str, Any],
    choices: list[Choice],
    notes: Adoption | None,
    found: Survey,
    files: Mapping[str, Any],
    again: bool,
) -> Adoption:
    """Return what is noted: of the values before, those from when the data were CIFAR-10."""
    if value_of(content, PICTURES) is MISSING:
        values = {key: value_of(content, key) for key in CIFAR10}
        before = {key: [] if value is MISSING else [value] for key, value in values.items()}
    else:
        before = notes.before if notes else {}
    written = {choice.key: choice.value for choice in choices}
    model = written.get("train.model", notes.model if notes and again else None)
    return Adoption(digest=found.digest, files=dict(files), before=before, model=model)
