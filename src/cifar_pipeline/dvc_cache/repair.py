"""Take damage out of DVC's cache and the workspace, so that DVC sees that something is missing."""

import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

from cifar_pipeline.common.atomic import replacing
from cifar_pipeline.dvc_cache.hashing import md5_of
from cifar_pipeline.dvc_cache.reading import Objects, WorkspaceFile
from cifar_pipeline.dvc_cache.records import DIRECTORY


def put_back_or_remove(
    repo: Any, objects: Objects, files: list[WorkspaceFile]
) -> tuple[dict[str, Path], list[str], list[Path]]:
    """Put every damaged object back from the workspace, or remove it and its copies there.

    Removing is what heals: DVC fetches or makes again only what it does not find. `dvc commit`
    would not do: it takes a damaged file of the workspace that it has not read into the cache.

    Args:
        repo: a `dvc.repo.Repo`.
        objects: the damaged ones.
        files: those of the workspace that dvc.lock names.

    Returns:
        The objects put back and the files they came from; the objects removed; the files removed.

    Raises:
        LockError: another DVC process is at work.
        OSError: something cannot be removed.
    """
    from dvc.repo import lock_repo

    cache = repo.cache.local
    restore: dict[str, Path] = {}
    with lock_repo(repo):
        for oid in objects.damaged:
            good = next((file.path for file in files if file.good and file.record.oid == oid), None)
            if good and _replace(Path(cache.oid_to_path(oid)), good, oid):
                cache.protect(cache.oid_to_path(oid))
                restore[oid] = good
            else:
                cache.delete(oid)
        copies = [file.path for file in files if file.damaged]
        for path in copies:
            path.unlink(missing_ok=True)
    return restore, [oid for oid in objects.damaged if oid not in restore], copies


def _replace(path: Path, good: Path, oid: str) -> bool:
    """Put a copy of `good` in the place of a damaged object; say whether its bytes are right.

    DVC's own way would be to remove the object first: a kill right then would leave neither, and
    nothing that this command finds the next time.
    """
    with suppress(_StillDamagedError), replacing(path) as temporary:
        shutil.copyfile(good, temporary)
        if md5_of(temporary) != oid.removesuffix(DIRECTORY):
            raise _StillDamagedError
        return True
    return False


class _StillDamagedError(Exception):
    """The copy is damaged, too: its name is not to be taken."""
