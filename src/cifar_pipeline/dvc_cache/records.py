"""Which file an object of DVC's cache is: what dvc.lock, the commits and the run-cache say."""

from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cifar_pipeline.common.errors import PipelineError
from cifar_pipeline.dvc_cache.hashing import md5_of
from cifar_pipeline.params.loading import read_yaml

DIRECTORY = ".dir"


@dataclass(frozen=True)
class Record:
    """An output as DVC wrote it down.

    Args:
        name: path from the repository's root.
        oid: the object's name in the cache: the MD5 of its bytes, and .dir after it where it is
            the list of a folder's files.
        origin: the stage, and the branch or commit unless it is the workspace's.
    """

    name: str
    oid: str
    origin: str

    def __str__(self) -> str:
        listed = "the list of files of " if self.oid.endswith(DIRECTORY) else ""
        return f"{listed}{self.name} ({self.origin})"


def current_records(repo: Any, unusable: Iterable[str]) -> list[Record]:
    """Return every output in the workspace's dvc.lock, the files in folders too.

    The files of a folder whose list cannot be used are those that lie in the workspace.

    Args:
        repo: a `dvc.repo.Repo`.
        unusable: objects that are not to be opened: damaged lists of files.
    """
    records = []
    unusable = set(unusable)
    for record in _of_index(repo, unusable, ""):
        records.append(record)
        if record.oid.endswith(DIRECTORY) and not _usable(repo, record.oid, unusable):
            records.extend(_lying_in(repo, record))
    return records


def earlier_records(repo: Any, unusable: Iterable[str]) -> Iterator[Record]:
    """Yield the outputs of branches, tags, all commits, experiments and the run-cache."""
    from dvc.exceptions import DvcException

    unusable = set(unusable)
    # A branch's name says more than a commit's hash.
    for scope in (("all_branches", "all_tags"), ("all_commits", "all_experiments")):
        revisions = repo.brancher(workspace=False, **dict.fromkeys(scope, True))
        for revision in revisions:
            # A commit whose dvc.yaml DVC cannot read has no outputs.
            with suppress(DvcException):
                short = revision[:7] if len(revision) == 40 else revision
                yield from _of_index(repo, unusable, f" at {short}")
    for path in Path(repo.stage_cache.cache_dir).rglob("*"):
        if path.is_file():
            # DVC itself passes over a damaged entry.
            with suppress(PipelineError, KeyError, TypeError):
                for out in read_yaml(path)["outs"]:
                    yield from _expanded(repo, unusable, out["path"], out["md5"], "an earlier run")


def names_of(repo: Any, oids: Collection[str], current: Iterable[Record]) -> dict[str, str]:
    """Return what each of the objects `oids` is, in words.

    Args:
        repo: a `dvc.repo.Repo`.
        oids: damaged objects.
        current: the workspace's own records.
    """
    names: dict[str, str] = {}
    for record in current:
        names.setdefault(record.oid, str(record))
    if not names.keys() >= set(oids):
        for record in earlier_records(repo, oids):
            names.setdefault(record.oid, str(record))
    return {oid: names.get(oid, "no output that this repository knows of") for oid in oids}


def _of_index(repo: Any, unusable: set[str], where: str) -> Iterator[Record]:
    for out in repo.index.outs:
        if out.hash_info:
            name = repo.fs.relpath(out.fs_path, repo.root_dir)
            # A .dvc file has no name of a stage.
            stage = getattr(out.stage, "name", None) or out.stage.addressing
            origin = f"{stage}{where}"
            yield from _expanded(repo, unusable, name, out.hash_info.value, origin)


def _expanded(repo: Any, unusable: set[str], name: str, oid: str, origin: str) -> Iterator[Record]:
    from dvc_data.hashfile.hash_info import HashInfo
    from dvc_data.hashfile.tree import Tree

    yield Record(name, oid, origin)
    if oid.endswith(DIRECTORY) and _usable(repo, oid, unusable):
        for key, _, file in Tree.load(repo.cache.local, HashInfo("md5", oid)):
            yield Record("/".join((name, *key)), file.value, origin)


def _usable(repo: Any, oid: str, unusable: set[str]) -> bool:
    return oid not in unusable and repo.cache.local.exists(oid)


def _lying_in(repo: Any, folder: Record) -> Iterator[Record]:
    """Yield the files in the workspace's folder, by the hash that DVC noted, else by their own."""
    for path in sorted(Path(repo.root_dir, folder.name).rglob("*")):
        if path.is_file():
            _, noted = repo.state.get(str(path), repo.fs)
            oid = noted.value if noted else md5_of(path)
            yield Record(path.relative_to(repo.root_dir).as_posix(), oid, folder.origin)
