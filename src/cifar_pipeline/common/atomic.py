"""Write a file under a temporary name and rename it: readers never see half of one."""

import ctypes
import errno
import fcntl
import glob
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cifar_pipeline.common.errors import PipelineError

_WORKING_FOLDER, _EXCHANGE = -100, 2  # AT_FDCWD and RENAME_EXCHANGE of Linux


@contextmanager
def replacing(path: Path, durable: bool = False) -> Iterator[Path]:
    """Yield a temporary path beside `path` that takes its name when the block ends well.

    The temporary name keeps the suffix of `path`. An exception removes the temporary file and
    leaves what was at `path` untouched. A `durable` file outlasts a loss of power from then on.
    What a killed process has left of the same is removed first.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    remove_leftovers(path)
    handle, temporary = _held(lambda: tempfile.mkstemp(path.suffix, f".{path.name}.", path.parent))
    try:
        yield temporary
        temporary.chmod(0o666 & ~_umask())
        if durable:
            _to_disk(temporary)
        temporary.replace(path)
        if durable:
            _to_disk(path.parent)
    finally:
        try:
            temporary.unlink(missing_ok=True)
        finally:
            os.close(handle)


@contextmanager
def scratch_folder(parent: Path, prefix: str) -> Iterator[Path]:
    """Yield a new folder in `parent` that goes with all that is in it when the block ends.

    Those of killed processes are removed first.
    """
    _remove_unlocked(parent, prefix)
    handle, folder = _held(lambda: _new_folder(parent, prefix))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(handle)


def exchange(one: Path, other: Path) -> None:
    """Give two files or folders each other's name, in one step.

    Raises:
        OSError: the file system cannot, or the system is not Linux.
    """
    try:
        renameat2 = ctypes.CDLL(None, use_errno=True).renameat2
    except AttributeError:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS), str(other)) from None
    names = os.fsencode(one), os.fsencode(other)
    if renameat2(_WORKING_FOLDER, names[0], _WORKING_FOLDER, names[1], _EXCHANGE):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), str(other))


def remove_leftovers(path: Path) -> None:
    """Remove what killed processes have left of `replacing(path)`, but nothing of living ones."""
    _remove_unlocked(path.parent, f".{path.name}.")


def _held(make: Callable[[], tuple[int, str]]) -> tuple[int, Path]:
    """Return what `make` has made, open and locked, so that no process takes it for left over."""
    while True:
        handle, name = make()
        with suppress(OSError):  # no locks here: nobody finds it unlocked then
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if Path(name).exists():
            return handle, Path(name)
        os.close(handle)  # removed before it was locked


def _new_folder(parent: Path, prefix: str) -> tuple[int, str]:
    name = tempfile.mkdtemp(dir=parent, prefix=prefix)
    return os.open(name, os.O_RDONLY), name


def _remove_unlocked(parent: Path, prefix: str) -> None:
    """Remove the temporary files and folders of a prefix whose processes have died."""
    for leftover in parent.glob(f"{glob.escape(prefix)}*"):
        with suppress(OSError):
            handle = os.open(leftover, os.O_RDONLY if leftover.is_dir() else os.O_RDWR)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if leftover.is_dir():
                    shutil.rmtree(leftover)
                else:
                    leftover.unlink()
            finally:
                os.close(handle)


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
