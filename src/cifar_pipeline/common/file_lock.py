"""A lock that one process of this machine holds; the system frees it when the process dies."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def locked(path: Path, when_busy: Callable[[str], None]) -> Iterator[None]:
    """Hold the lock file `path` while the block runs.

    Args:
        path: made when missing, with its folder, and left behind.
        when_busy: called with the holder's process number, empty where unknown, when another
            process holds the lock. When it returns, this process waits for the lock.

    Raises:
        OSError: the file cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            when_busy(file.read().strip())
            fcntl.flock(file, fcntl.LOCK_EX)
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
