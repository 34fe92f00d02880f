"""What adopt prints: the folder's table, what has changed, and what params.yaml got and why."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from cifar_pipeline.adopt.choices import Choice
from cifar_pipeline.adopt.notes import Changes
from cifar_pipeline.adopt.params_file import MISSING
from cifar_pipeline.adopt.survey import Survey
from cifar_pipeline.common.console import be, counted
from cifar_pipeline.download.contents import SHOWN_FAULTS
from cifar_pipeline.images.layout import PARTS
from cifar_pipeline.images.paths import shown

_SHOWN_CHANGES = 5  # of each kind


def make_console() -> Console:
    """Return a console that prints as it is told."""
    return Console(highlight=False, markup=False, emoji=False, soft_wrap=True)


def print_survey(console: Console, found: Survey, listing: Path) -> None:
    """Print the table of classes, and below it what there is to know of the pictures.

    Args:
        console: where to.
        found: what is told.
        listing: the file of all faults.
    """
    number = sum(int(each.sum()) for each in found.counts.values())
    console.print(
        f"{shown(str(found.images.root))}: {found.images.layout}, {len(found.images.names)} "
        f"classes, {number:,} pictures"
    )
    console.print(_class_table(found))
    for name, what in _facts(found, listing):
        console.print(f"{name:<10} {what}")


def _class_table(found: Survey) -> Table:
    table = Table()
    table.add_column("class", overflow="fold")  # a long name is whole
    parts = [part for part in PARTS if part in found.counts]
    for part in parts:
        table.add_column(part, justify="right")
    for label, name in enumerate(found.images.names):
        numbers = [f"{found.counts[part][label]:,}" for part in parts]
        table.add_row(Text(shown(name)), *numbers)
    table.add_section()
    table.add_row("all", *(f"{found.counts[part].sum():,}" for part in parts))
    return table


def _facts(found: Survey, listing: Path) -> Iterable[tuple[str, str]]:
    smallest, median, largest = (f"{w:,} x {h:,}" for w, h in found.sizes)
    yield "sizes", f"smallest {smallest}, median {median}, largest {largest} pixels"
    modes = Counter(mode for _, _, mode in found.contents.kinds.values())
    yield "modes", ", ".join(f"{mode} {number:,}" for mode, number in modes.most_common())
    number = len(found.contents.kinds)
    if found.grey:
        of = "all" if found.grey == number else f"{found.grey:,}"
        yield "grey", f"{of} of {number:,} pictures"
    if found.constant:
        yield "channels", f"{', '.join(found.constant)}: the same in every pixel"
    again = f"{counted(found.repeated, 'picture')} {be(found.repeated)}"
    copies = f"; {found.copies:,} {be(found.copies)} copies within their class"
    yield (
        "repeated",
        f"{again if found.repeated else 'none'} in two parts or under two labels"
        f"{copies if found.copies else ''}",
    )
    if found.unused:
        yield "not used", f"{len(found.unused):,} beside the images: {_first(found.unused)}"
    faults = sorted(found.contents.faults.items())
    if not faults:
        yield "broken", "none"
        return
    yield "broken", f"{counted(len(faults), 'file')} cannot be used (all of them: {listing}):"
    for path, why in faults[:SHOWN_FAULTS]:
        yield "", f"{shown(str(path.relative_to(found.images.root)))}: {why}"
    if len(faults) > SHOWN_FAULTS:
        yield "", f"... and {len(faults) - SHOWN_FAULTS:,} more"


def print_changes(
    console: Console,
    changes: Changes,
    renamed: Mapping[str, str],
    before: Mapping[str, int],
    after: Mapping[str, int],
) -> None:
    """Print what has changed since the last adoption.

    Args:
        console: where to.
        changes: files.
        renamed: the new name of each class that has one.
        before: files of each class.
        after: likewise.
    """
    console.print("since the last adoption:")
    for name in sorted((before.keys() | after.keys()) - set(renamed.values())):
        new = renamed.get(name, name)
        was, now = before.get(name, 0), after.get(new, 0)
        if new != name:
            files = "" if was == now else f", {was:,} -> {counted(now, 'file')}"
            console.print(f"  class {shown(name)}: renamed to {shown(new)}{files}")
        elif was != now:
            note = " (new)" if not was else " (gone)" if not now else ""
            console.print(f"  class {shown(name)}: {was:,} -> {counted(now, 'file')}{note}")
    moves = [f"{old} -> {new}" for old, new in changes.renamed.items()]
    for kind, files in {**changes._asdict(), "renamed": moves}.items():
        if files:
            console.print(f"  {len(files):,} {kind}: {_first(files)}")


def _first(files: Sequence[str]) -> str:
    more = ", ..." if len(files) > _SHOWN_CHANGES else ""
    return ", ".join(map(shown, files[:_SHOWN_CHANGES])) + more


def print_choices(console: Console, path: Path, choices: Iterable[Choice], was: Any) -> None:
    """Print each value that stands in params.yaml now, and why.

    Args:
        console: where to.
        path: the file.
        choices: its new values.
        was: a function from a key to the value before.
    """
    console.print(f"{path}:")
    for key, value, reason in choices:
        before = was(key)
        note = "" if before in (value, MISSING, None) else f" (was {written(before)})"
        shown_value = f" {written(value)}" if value is not None else ""
        console.print(f"  {key}:{shown_value}{note}{f' - {reason}' if reason else ''}")


def written(value: Any) -> str:
    """Return a value as a terminal may show it."""
    return shown(str(value))
