"""The user's cache of archives, outside of any repository and shared by all of them.

An archive has its final name there only after its six files were verified; `.part` marks the rest.
"""

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from platformdirs import user_cache_path

from cifar_pipeline.common.console import say
from cifar_pipeline.common.file_lock import locked
from cifar_pipeline.download.npm import WORK_PREFIX

VARIABLE = "CIFAR_PIPELINE_CACHE"
REMEDY = f"or set {VARIABLE} to a folder with 200 MB to spare"
SUFFIX = ".archive"
_IN_PROJECT = Path(".dvc", "tmp", "cifar-pipeline")  # Git and DVC ignore it


def cache_folder() -> Path:
    """Return the folder of the cache: $CIFAR_PIPELINE_CACHE, or the user's cache folder.

    Where the user has no home that can be written, it is a folder of this project.
    """
    chosen = os.environ.get(VARIABLE)
    if chosen:
        with suppress(RuntimeError):  # "~" of a user without a home
            return Path(chosen).expanduser().absolute()
        return Path(chosen).absolute()
    with suppress(RuntimeError):  # likewise
        of_user = user_cache_path("cifar-pipeline")
        if of_user.is_absolute() and _can_be_made(of_user):
            return of_user
    return _IN_PROJECT.absolute()


def _can_be_made(folder: Path) -> bool:
    """Say whether `folder`, or else the first folder above it that is there, may be written."""
    there = next(path for path in (folder, *folder.parents) if os.path.lexists(path))
    return there.is_dir() and os.access(there, os.W_OK | os.X_OK)


def archive_path(folder: Path, name: str, address: str) -> Path:
    """Return where the archive of source `name` lies; another address, another file."""
    return folder / f"{name}-{hashlib.sha256(address.encode()).hexdigest()[:12]}{SUFFIX}"


def part_path(archive: Path) -> Path:
    """Return the name of `archive` until it is complete and verified."""
    return archive.with_name(archive.name + ".part")


def cached_archives(folder: Path) -> list[Path]:
    """Return the archives in the cache, whichever source they came from."""
    return sorted(folder.glob(f"*{SUFFIX}"))


@contextmanager
def cache_alone(folder: Path) -> Iterator[None]:
    """Have the cache alone, among all processes of this machine, while the block runs.

    Raises:
        OSError: the folder cannot be written.
    """
    with locked(folder / "lock", lambda _: say(f"another download uses {folder}: waiting for it")):
        for leftover in folder.glob(f"{WORK_PREFIX}*"):  # of an npm that was killed
            shutil.rmtree(leftover, ignore_errors=True)
        yield
