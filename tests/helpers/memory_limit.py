"""A limit on the memory of processes, the files in the system's page cache among it (cgroups)."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from skips import NOT_HERE

# The folder of cgroups, a file that says it is one, and the file of the limit: version 2 and 1.
_VERSIONS = (
    (Path("/sys/fs/cgroup"), "cgroup.controllers", "memory.max"),
    (Path("/sys/fs/cgroup/memory"), "memory.limit_in_bytes", "memory.limit_in_bytes"),
)


@contextmanager
def memory_limit(number: int) -> Iterator[Callable[[], None]]:
    """Yield a function that puts the process that calls it under a limit of `number` bytes.

    Where the system has no cgroups that this user may make, the test is skipped.
    """
    for root, mark, file in _VERSIONS:
        group = root / f"cifar-pipeline-test-{os.getpid()}"
        if not (root / mark).exists():
            continue
        try:
            group.mkdir()
            (group / file).write_text(str(number))
        except OSError:
            if group.is_dir():
                group.rmdir()
            continue
        try:
            yield lambda group=group: _enter(group)  # type: ignore[misc]  # mypy wants no default
        finally:
            group.rmdir()
        return
    pytest.skip(f"{NOT_HERE}: a cgroup needs root and a writable /sys/fs/cgroup")


def _enter(group: Path) -> None:
    (group / "cgroup.procs").write_text(str(os.getpid()))
