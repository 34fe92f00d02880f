"""Write a file under a temporary name and rename it: readers never see half of one.

Not every file system can do all that is done for it. What is only neat, such as a file's mode, is
left out there; what protects is done in another way.
"""

import ctypes
import errno
import fcntl
import glob
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from cifar_pipeline.common.console import complain
from cifar_pipeline.common.errors import PipelineError
from cifar_pipeline.common.system_errors import UNSUPPORTED, errno_of, place_of, refusal

# What renaming onto a file answers where that file cannot be replaced but can be written: another
# disk is mounted on it (a container's), or the file system knows no replacing.
_NOT_REPLACED = UNSUPPORTED | {errno.EBUSY, errno.EEXIST, errno.EXDEV}
_HELD_OFF = {errno.EACCES, errno.EAGAIN, errno.EBUSY}  # of a write, by a lock
_PROBE_BYTES = 4096  # an empty file needs no space, and no quota

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
    prefix = f".{path.name}."
    with _shown_as(path, prefix):
        handle, temporary = _held(lambda: tempfile.mkstemp(path.suffix, prefix, path.parent))
    try:
        with _shown_as(path, prefix):
            yield temporary
            with suppress(OSError):  # mounted Windows folders have no modes
                temporary.chmod(0o666 & ~_umask())
            if durable:
                _to_disk(temporary)
            _take_name(temporary, path)
            if durable:
                _to_disk(path.parent)
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
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
        with suppress(OSError):  # no such locks here: nobody removes it then
            _lock(handle, Path(name))
        if Path(name).exists():
            return handle, Path(name)
        os.close(handle)  # removed before it was locked


def _lock(handle: int, path: Path) -> None:
    """Lock what is open at `path`, a temporary file or folder, until it is closed.

    Raises:
        OSError: another process has locked it, or locks are no good here. On CIFS a file that is
            locked cannot be written through any other descriptor, not even by this process.
    """
    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    if path.is_dir():
        return
    other = os.open(path, os.O_WRONLY)
    try:
        os.write(other, b"\0")
    except OSError as error:
        if error.errno in _HELD_OFF:
            fcntl.flock(handle, fcntl.LOCK_UN)
            raise
    finally:
        os.close(other)
    os.ftruncate(handle, 0)


def _new_folder(parent: Path, prefix: str) -> tuple[int, str]:
    name = tempfile.mkdtemp(dir=parent, prefix=prefix)
    return os.open(name, os.O_RDONLY), name


def _remove_unlocked(parent: Path, prefix: str) -> None:
    """Remove the temporary files and folders of a prefix whose processes have died."""
    for leftover in parent.glob(f"{glob.escape(prefix)}*"):
        with suppress(OSError):  # another user's, or no such locks here
            handle = os.open(leftover, os.O_RDONLY if leftover.is_dir() else os.O_RDWR)
            try:
                _lock(handle, leftover)
                if leftover.is_dir():
                    shutil.rmtree(leftover)
                else:
                    leftover.unlink()
            finally:
                os.close(handle)


@contextmanager
def _shown_as(path: Path, prefix: str) -> Iterator[None]:
    """Let an error of the block name `path` where it names a temporary file, by its prefix."""
    try:
        yield
    except OSError as error:
        if Path(str(error.filename)).name.startswith(prefix):
            error.filename, error.filename2 = str(path), None
        raise


def _to_disk(path: Path) -> None:
    """Wait until a file's content, or a folder's names, have left the system's memory.

    Raises:
        OSError: the content is lost. Where a file system cannot wait for one file, all are waited
            for; where it cannot for a folder (Windows' and others of the network), it has sent the
            names off already.
    """
    with _unless_unsupported(os.sync if path.is_file() else lambda: None):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _take_name(temporary: Path, path: Path) -> None:
    """Rename a file, or else write its content into `path`, and say so."""
    try:
        temporary.replace(path)
    except OSError as refused:
        if refused.errno not in _NOT_REPLACED or path.is_dir():
            raise
        is_new = not path.exists()
        try:
            with temporary.open("rb") as source, path.open("xb" if is_new else "r+b") as target:
                shutil.copyfileobj(source, target)
                target.truncate()
            _to_disk(path)
        except OSError:
            if is_new:
                path.unlink(missing_ok=True)
            raise refused from None
        complain(
            f"warning: {path} cannot be replaced ({refused.strerror}) and was written in place: "
            "had that been interrupted, half of it would be there"
        )


def require_writable(folder: Path, *names: str, sizes: Iterable[int] = ()) -> None:
    """Make `folder` and try whether it takes files of these names and sizes.

    Call it before long work whose results go there. What a kill leaves of a trial, the next one
    removes.

    Args:
        folder: for the files.
        names: of the files.
        sizes: about the bytes of the large ones that lie there at one time.

    Raises:
        PipelineError: it does not.
    """
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for name in names:
            if (folder / name).is_dir():
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(folder / name))
        prefix = f".{names[0] if names else 'probe'}."
        _remove_unlocked(folder, prefix)
        with _shown_as(folder, prefix), ExitStack() as stack:
            for size in sizes or (0,):
                descriptor, name = tempfile.mkstemp(dir=folder, prefix=prefix)
                stack.callback(Path(name).unlink, missing_ok=True)
                _fill(descriptor, size)


def _fill(descriptor: int, size: int) -> None:
    """Write a little to an open file, reserve the rest of `size` for it, and close it."""
    try:
        os.write(descriptor, bytes(_PROBE_BYTES))
        with _unless_unsupported():
            if size > _PROBE_BYTES and hasattr(os, "posix_fallocate"):
                os.posix_fallocate(descriptor, 0, size)
        with _unless_unsupported():
            os.fsync(descriptor)  # a disk of the network may tell only now
    finally:
        os.close(descriptor)


@contextmanager
def _unless_unsupported(instead: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Call `instead` where the file system cannot do at all what the block asks of it."""
    try:
        yield
    except OSError as error:
        if error.errno not in UNSUPPORTED:
            raise
        instead()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


@contextmanager
def writing(folder: Path, elsewhere: str = "") -> Iterator[None]:
    """Turn an `OSError` of the block (full disk, no permission) into one line for the user.

    An error of a file that does not lie there passes, or one that no system call gave: nothing was
    to be written.

    Args:
        folder: that the block writes to.
        elsewhere: how another place is chosen, as in `advice_for`.

    Raises:
        PipelineError: naming the file or else `folder`, the reason and what to do.
    """
    try:
        yield
    except OSError as error:
        place = place_of(error)
        elsewhere_at = place and not _is_at(Path(place).absolute(), folder.absolute())
        if elsewhere_at or errno_of(error) is None:
            raise
        line = refusal(error, place or folder, "written", elsewhere=elsewhere)
        raise PipelineError(line) from None


def _is_at(place: Path, folder: Path) -> bool:
    """Say whether `place` is `folder`, in it or above it."""
    return place.is_relative_to(folder) or folder.is_relative_to(place)
