"""A disk that fills up: a file system of a few hundred kilobytes in memory."""

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

AS_ROOT = [] if os.geteuid() == 0 else ["sudo", "-n"]


@contextmanager
def small_disk(folder: Path, kilobytes: int) -> Iterator[Callable[[int], None]]:
    """Mount a small disk on a folder; give a function that changes its size."""
    folder.mkdir(parents=True)

    def mount(options: str) -> bool:
        options += f",uid={os.getuid()},mode=755"
        command = [*AS_ROOT, "mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
        return subprocess.run(command, check=False).returncode == 0

    def resize(kilobytes: int) -> None:
        assert mount(f"remount,size={kilobytes}k")

    if not mount(f"size={kilobytes}k"):
        pytest.skip("mounting a disk needs root, or sudo without a password")
    try:
        yield resize
    finally:
        subprocess.run([*AS_ROOT, "umount", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """Fill the disk under a folder with one file; return that."""
    path = folder / "filling"
    with path.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))
    return path
