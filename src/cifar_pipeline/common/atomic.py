"""Write a file under a temporary name and rename it: readers never see half of one."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cifar_pipeline.common.errors import PipelineError


@contextmanager
def replacing(path: Path, durable: bool = False) -> Iterator[Path]:
    """Yield a temporary path beside `path` that takes its name when the block ends well.

    The temporary name keeps the suffix of `path`. An exception removes the temporary file and
    leaves what was at `path` untouched. A `durable` file outlasts a loss of power from then on.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=path.suffix)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o666 & ~_umask())
        if durable:
            _to_disk(temporary)
        temporary.replace(path)
        if durable:
            _to_disk(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def remove_leftovers(path: Path) -> None:
    """Remove what killed processes have left of `replacing(path)`. No other may be at it."""
    for leftover in path.parent.glob(f".{path.name}.*"):
        leftover.unlink(missing_ok=True)


def _to_disk(path: Path) -> None:
    """Wait until a file's content, or a folder's names, have left the system's memory."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def require_writable(folder: Path) -> None:
    """Make `folder` and try whether it takes a file.

    Raises:
        PipelineError: it does not.
    """
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


@contextmanager
def writing(
    folder: Path, remedy: str = "free some space or choose another folder"
) -> Iterator[None]:
    """Turn an `OSError` of the block (full disk, no permission) into one line for the user.

    Raises:
        PipelineError: naming the file or else `folder`, the reason and the `remedy`.
    """
    try:
        yield
    except OSError as error:
        place = error.filename or folder
        reason = error.strerror or type(error).__name__
        raise PipelineError(f"{place}: cannot be written ({reason}); {remedy}") from None
