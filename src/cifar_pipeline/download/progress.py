"""The progress bar of a transfer: on a terminal, not where the output goes to a file."""

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


class ProgressBar:
    """The bar of one source's transfer, in bytes."""

    def __init__(self, progress: Progress, name: str) -> None:
        self._progress = progress
        self._task = progress.add_task(name, total=None)

    def start(self, done: int, total: int | None) -> None:
        """Start anew with `done` bytes that are here already, of `total` (None: unknown)."""
        self._progress.reset(self._task, completed=done)
        self._progress.update(self._task, total=total)

    def update(self, done: int) -> None:
        """Show that `done` bytes are here."""
        self._progress.update(self._task, completed=done)


@contextmanager
def progress_bar(name: str) -> Iterator[ProgressBar]:
    """Yield the bar of the source `name`, and remove it when the block ends."""
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
        yield ProgressBar(progress, name)
