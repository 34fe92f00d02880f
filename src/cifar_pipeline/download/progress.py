"""How far a transfer is: a bar on a terminal, nothing where the output goes to a file."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)


class Meter:
    """The progress of one source's transfer, in bytes."""

    def __init__(self, progress: Progress, name: str) -> None:
        self._progress = progress
        self._task = progress.add_task(name, total=None)

    def begin(self, done: int, total: int | None) -> None:
        """Start to measure: `done` bytes are here already, of `total` (None: unknown)."""
        self._progress.reset(self._task, completed=done)
        self._progress.update(self._task, total=total)

    def at(self, done: int) -> None:
        """Show that `done` bytes are here."""
        self._progress.update(self._task, completed=done)


@contextmanager
def metering(name: str) -> Iterator[Meter]:
    """Yield the meter of the source `name`; its bar is gone when the block ends."""
    console = Console()
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    hidden = not console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=hidden) as progress:
        yield Meter(progress, name)
