"""Verify DVC's cache: `python -m cifar_pipeline.dvc_cache.verify`, or `make verify`."""

from cifar_pipeline.common.start import start_program

AGAIN = "run `make verify` again"
if __name__ == "__main__":
    start_program(AGAIN)

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from cifar_pipeline.common.console import command_app, complain, counted, run_program, say
from cifar_pipeline.common.errors import PipelineError
from cifar_pipeline.common.system_errors import place_of, refusal
from cifar_pipeline.dvc_cache.reading import Objects, WorkspaceFile, read_objects, read_workspace
from cifar_pipeline.dvc_cache.records import Record, current_records, names_of
from cifar_pipeline.dvc_cache.repair import put_back_or_remove


def verify_cache(repair: bool) -> None:
    """Read the cache and the workspace of the DVC repository here and say what is damaged.

    Args:
        repair: put back or remove what is damaged.

    Raises:
        PipelineError: something is damaged, or cannot be read.
    """
    with _repository() as repo:
        cache = repo.cache.local
        objects = read_objects(cache)
        bad = {*objects.damaged, *objects.unreadable}
        current = current_records(repo, bad)
        files = read_workspace(repo, current, objects.damaged)
        _name_the_damage(repo, objects, files, current)
        changed = [file.record.name for file in files if not file.good and not file.trusted]
        if changed:
            say(f"changed, as `dvc status` says: {', '.join(changed)}")
        copies = sum(file.damaged for file in files)
        if objects.damaged or copies:
            if not repair:
                raise PipelineError(
                    f"damaged: {counted(len(objects.damaged), 'object')} in the cache, "
                    f"{counted(copies, 'file')} in the workspace; run `make verify ARGS=--repair` "
                    f"(puts objects back from the workspace or removes them), {_remedy(repo)}"
                )
            _repair(repo, objects, files, current)
        if objects.unreadable:
            raise PipelineError(
                f"{counted(len(objects.unreadable), 'object')} cannot be read; mend "
                "the reasons above, then `make verify` again"
            )
        if not objects.damaged and not copies:
            say(
                f"{_shown(cache.path)}: {counted(objects.number, 'object')}, "
                f"{objects.size / 1e6:,.1f} MB, none is damaged; nor is any of "
                f"{counted(sum(file.good for file in files), 'file')} in the workspace"
            )


@contextmanager
def _repository() -> Iterator[Any]:
    """Yield the DVC repository around the working directory; its errors become one line.

    Raises:
        PipelineError: there is none, or DVC or the system refuses something.
    """
    # Imported late: DVC takes half a second, and `--help` should not wait for it.
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    try:
        with Repo() as repo:
            yield repo
    except DvcException as error:
        raise PipelineError(" ".join(str(error).split())) from None
    except OSError as error:
        raise PipelineError(refusal(error, place_of(error) or "the cache", "used")) from None


def _name_the_damage(
    repo: Any, objects: Objects, files: list[WorkspaceFile], current: list[Record]
) -> None:
    for oid, name in names_of(repo, [*objects.damaged, *objects.unreadable], current).items():
        reason = objects.unreadable.get(oid)
        what = f"cannot be read ({reason})" if reason else "damaged"
        complain(f"{what}: {name}: {_shown(repo.cache.local.oid_to_path(oid))}")
    for file in files:
        if file.damaged:
            complain(f"damaged: {file.record}: {_shown(file.path)} in the workspace")


def _repair(repo: Any, objects: Objects, files: list[WorkspaceFile], current: list[Record]) -> None:
    restore, removed, copies = put_back_or_remove(repo, objects, files)
    for oid, source in restore.items():
        say(f"put back from {_shown(source)}: {_shown(repo.cache.local.oid_to_path(oid))}")
    for path in (*map(repo.cache.local.oid_to_path, removed), *copies):
        say(f"removed: {_shown(path)}")
    if set(removed) - {record.oid for record in current}:
        say(f"what this dvc.lock does not name comes back by {_remedy_elsewhere(repo)}")
    say(f"now run {_remedy(repo)}" if removed or copies else "nothing is missing")


def _remedy(repo: Any) -> str:
    """Return the commands that bring back what was removed."""
    if repo.config["core"].get("remote"):
        fetch = "`dvc pull` (unless the remote's objects are damaged too), "
    else:
        fetch = ""
    return f"{fetch}`dvc repro` and `make verify` again"


def _remedy_elsewhere(repo: Any) -> str:
    if repo.config["core"].get("remote"):
        return "`dvc fetch --all-commits`"
    return "`dvc repro` on the commit that does"


def _shown(path: str | Path) -> str:
    """Return the path as seen from here, or in full where it lies elsewhere."""
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("..") else relative


def main(
    repair: Annotated[
        bool,
        typer.Option(
            "--repair",
            help="Put damaged objects back from the workspace where it has them whole; remove "
            "the others and their copies there.",
        ),
    ] = False,
) -> None:
    """Read every object in DVC's cache and every output in the workspace; name what is damaged."""
    verify_cache(repair)


if __name__ == "__main__":
    run_program(command_app(main, AGAIN, prints=True))
