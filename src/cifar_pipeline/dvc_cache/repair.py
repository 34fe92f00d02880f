"""Take damage out of DVC's cache and the workspace, so that DVC sees that something is missing."""

from pathlib import Path
from typing import Any

from cifar_pipeline.dvc_cache.reading import Objects, WorkspaceFile


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
            cache.delete(oid)
            good = next((file.path for file in files if file.good and file.record.oid == oid), None)
            if good:
                # `verify` reads the new object, and removes it again if it is damaged too.
                cache.add(str(good), cache.fs, oid, verify=True)
                if cache.exists(oid):
                    restore[oid] = good
        copies = [file.path for file in files if file.damaged]
        for path in copies:
            path.unlink(missing_ok=True)
    return restore, [oid for oid in objects.damaged if oid not in restore], copies
