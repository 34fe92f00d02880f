"""Read many image files with all processor cores."""

import hashlib
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from cifar_pipeline.common.errors import PipelineError
from cifar_pipeline.common.system_errors import (
    OF_THE_MACHINE,
    advice_for,
    reason_of,
    refusal,
)
from cifar_pipeline.dataset.decoding import Decoding
from cifar_pipeline.images.decoding import Decoded, decode_file, require_regular, silenced
from cifar_pipeline.images.paths import PictureError, shown

_WAITING = 4  # images a core that are decoded ahead


@dataclass(frozen=True)
class ImageRead:
    """What was found in an image file.

    Attributes:
        path: the file.
        sha256: of its bytes, 64 hexadecimal digits; "" where it cannot be read.
        decoded: the image; None where there is a fault.
        fault: why it cannot be used, in one line; "" where it can.
    """

    path: Path
    sha256: str
    decoded: Decoded | None
    fault: str = ""


def read_images(
    paths: Iterable[Path],
    total: int,
    decoding: Decoding,
    use: Callable[[ImageRead], object],
    title: str = "reading images",
) -> None:
    """Call `use` with each file's image, in the order of `paths`.

    Pillow and hashlib release Python's lock, so that threads keep all cores busy. Each file is read
    once, and few images are in memory at a time. Standard error goes nowhere meanwhile; a terminal
    shows a bar with the number of images, their rate and the time left.

    Args:
        paths: the files.
        total: their number, for the bar.
        decoding: size and fit of the images.
        use: is called in the calling thread.
        title: of the bar.
    """
    workers = os.cpu_count() or 1
    waiting: deque[Future[ImageRead]] = deque()
    with progress_bar(title, total) as advance, silenced():
        executor = ThreadPoolExecutor(workers)
        try:
            for path in paths:
                waiting.append(executor.submit(read_image, path, decoding))
                if len(waiting) >= _WAITING * workers:
                    use(waiting.popleft().result())
                    advance(1)
            while waiting:
                use(waiting.popleft().result())
                advance(1)
        finally:
            executor.shutdown(cancel_futures=True)


def read_image(path: Path, decoding: Decoding) -> ImageRead:
    """Read and decode a file, inside of `silenced`. Its faults are told, not raised.

    Raises:
        PipelineError: this machine could read no file now.
    """
    sha256 = ""
    try:
        require_regular(str(path))
        try:
            content = path.read_bytes()
        except OSError as error:
            if error.errno in OF_THE_MACHINE:  # no fault of this file: it must not be left out
                raise PipelineError(refusal(error, shown(str(path)), "read")) from None
            reason = f"cannot be read ({reason_of(error)}); {advice_for(error)}"
            raise PictureError(str(path), reason) from None
        sha256 = hashlib.sha256(content).hexdigest()
        return ImageRead(path, sha256, decode_file(str(path), decoding, content))
    except PictureError as error:
        return ImageRead(path, sha256, None, error.reason)


class _RateColumn(TextColumn):
    """Images a second."""

    def __init__(self) -> None:
        super().__init__("")

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:,.0f} images/s" if task.speed else "")


@contextmanager
def progress_bar(title: str, total: int) -> Iterator[Callable[[int], None]]:
    """Yield a function that moves the bar of `total` images on by so many."""
    console = Console()
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        _RateColumn(),
        TimeRemainingColumn(),
    )
    hidden = not console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=hidden) as progress:
        task = progress.add_task(title, total=total)
        yield lambda images: progress.advance(task, images)
