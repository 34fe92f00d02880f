"""Read every object of DVC's cache, and every file of the workspace that DVC answers for.

DVC trusts a read-only object unread, and a file whose inode, size and time of change are those it
noted. Damage to either stays unseen until somebody reads the bytes.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cifar_pipeline.common.system_errors import reason_of
from cifar_pipeline.dvc_cache.hashing import md5_of
from cifar_pipeline.dvc_cache.records import DIRECTORY, Record

OBJECT = re.compile(rf"[0-9a-f]{{32}}({re.escape(DIRECTORY)})?")


@dataclass
class Objects:
    """What reading the cache found; the keys are the objects' names.

    Args:
        number: of objects.
        size: bytes of all of them.
        damaged: the MD5 of the bytes of those whose name is another.
        unreadable: the reason why an object could not be read.
    """

    number: int = 0
    size: int = 0
    damaged: dict[str, str] = field(default_factory=dict)
    unreadable: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class WorkspaceFile:
    """A file of the workspace that dvc.lock names.

    Args:
        record: what dvc.lock says.
        path: where it lies.
        found: the MD5 of its bytes.
        trusted: whether DVC, which has not read it again, takes it for what dvc.lock says.
    """

    record: Record
    path: Path
    found: str
    trusted: bool

    @property
    def good(self) -> bool:
        """Whether its bytes are those of dvc.lock."""
        return self.found == self.record.oid

    @property
    def damaged(self) -> bool:
        """Whether they are not, and DVC does not see it."""
        return self.trusted and not self.good


def read_objects(cache: Any) -> Objects:
    """Read every object of `cache`, a local object database of DVC.

    Raises:
        OSError: a folder of the cache cannot be listed.
    """
    objects = Objects()
    for oid, path in _listed(Path(cache.path)):
        objects.number += 1
        try:
            objects.size += path.stat().st_size
            found = md5_of(path)
        except OSError as error:
            objects.unreadable[oid] = reason_of(error)
            continue
        if found != oid.removesuffix(DIRECTORY):
            objects.damaged[oid] = found
    return objects


def _listed(cache: Path) -> Iterator[tuple[str, Path]]:
    """Yield name and path of every object.

    Unlike DVC's own list, which leaves out the folders that it may not read.
    """
    for folder in sorted(cache.iterdir()) if cache.exists() else ():
        if folder.is_dir():
            for path in sorted(folder.iterdir()):
                oid = folder.name + path.name
                # Anything else is the temporary file of a run that was killed.
                if OBJECT.fullmatch(oid):
                    yield oid, path


def read_workspace(
    repo: Any, records: Iterable[Record], damaged: Mapping[str, str]
) -> list[WorkspaceFile]:
    """Read the files of the workspace that `records` name.

    Args:
        repo: a `dvc.repo.Repo`.
        records: the workspace's own.
        damaged: the damaged objects of the cache and the MD5 of their bytes.

    Raises:
        OSError: a file cannot be read.
    """
    files = []
    for record in records:
        path = Path(repo.root_dir, record.name)
        if path.is_file():
            found = md5_of(path)
            _, noted = repo.state.get(str(path), repo.fs)
            trusted = noted is not None and noted.value == record.oid
            # A link to the damaged object, or a copy of it.
            trusted = trusted or found == damaged.get(record.oid)
            files.append(WorkspaceFile(record, path, found, trusted))
    return files
