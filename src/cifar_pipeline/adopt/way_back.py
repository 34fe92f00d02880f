"""The way back from a folder of the user's own pictures to CIFAR-10."""

from pathlib import Path
from typing import Any

from cifar_pipeline.adopt.choices import CIFAR10, Choice
from cifar_pipeline.adopt.notes import forget_adoption, read_adoption
from cifar_pipeline.adopt.output import make_console, print_choices
from cifar_pipeline.adopt.params_file import MISSING, changed, read_params, value_of, write_text
from cifar_pipeline.download.picture_source import is_picture_folder, local_source
from cifar_pipeline.params.whole_file import validate_whole


def return_to_cifar10(path: Path) -> None:
    """Write params.yaml as it was before a folder was adopted.

    Without notes of that every key gets its value for CIFAR-10.

    Raises:
        ParamsError: params.yaml cannot be used.
    """
    content = read_params(path)
    now = validate_whole(content, path)
    console = make_console()
    source = local_source(now.download.source)
    if now.download.pictures is None and not (source and is_picture_folder(source)):
        console.print(f"{path}: the data are CIFAR-10 already")
        return
    notes = read_adoption(path)
    changes: dict[str, Any] = dict(CIFAR10)
    if notes:
        changes |= {key: (was[0] if was else MISSING) for key, was in notes.before.items()}
    # Pictures that were named by hand before are no CIFAR-10 either.
    before = local_source(changes["download.source"])
    if before and (is_picture_folder(before) or not before.exists()):
        changes["download.source"] = None
    # A preset of the user's own choice stays. An adoption on another machine is not noted here.
    if now.train.model != ((notes.model if notes else None) or "fast64"):
        del changes["train.model"]
    # A key that is off by default, and was never there, need not come.
    changes = {
        key: value
        for key, value in changes.items()
        if value_of(content, key) is not MISSING or (notes and key in notes.before)
    }
    text, after = changed(path, changes)
    validate_whole(after, path)
    write_text(path, text)
    forget_adoption(path)
    choices = [
        Choice(key, value, "")
        for key, value in changes.items()
        if value is not MISSING and value_of(content, key) != value
    ]
    print_choices(console, path, choices, lambda key: value_of(content, key))
    console.print("The data are CIFAR-10 again. The next step: `make repro`.")
