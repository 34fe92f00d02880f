"""A lock that one process of this machine holds; the system frees it when the process dies."""

import fcntl
import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

from cifar_pipeline.common.console import complain
from cifar_pipeline.common.system_errors import UNSUPPORTED, reason_of


@contextmanager
def locked(path: Path, when_busy: Callable[[str], None]) -> Iterator[None]:
    """Hold the lock file `path` while the block runs.

    On a file system without locks (Lustre's are often off), a file in the folder of temporary files
    is locked in its place. Where that cannot be either, a line says so.

    Args:
        path: made when missing, with its folder, and left behind.
        when_busy: called with the holder's process number, empty where unknown, when another
            process holds the lock. When it returns, this process waits for the lock.

    Raises:
        OSError: the file cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        try:
            _lock(stack.enter_context(path.open("a+", encoding="utf-8")), when_busy)
        except OSError as refused:
            if refused.errno not in UNSUPPORTED or refused.filename:  # cannot be opened
                raise
            try:
                _lock(stack.enter_context(_stand_in(path)), when_busy)
            except OSError:
                complain(
                    f"warning: {path} cannot be locked ({reason_of(refused)}); start nothing else "
                    f"that writes to {path.parent} meanwhile"
                )
        yield


def _lock(file: IO[str], when_busy: Callable[[str], None]) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        when_busy(file.read().strip())
        fcntl.flock(file, fcntl.LOCK_EX)
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()


def _stand_in(path: Path) -> IO[str]:
    """Return an open file to lock in place of `path`."""
    name = hashlib.sha256(os.fsencode(path.resolve())).hexdigest()[:16]
    place = Path(tempfile.gettempdir(), f"cifar-pipeline-{name}.lock")
    # Everybody may write to that folder: no link of theirs is followed.
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    return os.fdopen(os.open(place, flags, 0o600), "a+", encoding="utf-8")
