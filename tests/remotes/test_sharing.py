"""One clone pushes; another one, on an empty machine, ends with the same files and runs nothing."""

from pathlib import Path

import pytest

from machines import Machine, model_of
from servers import http_server
from storage import Folder, Remote, oid_of, whole


def reproduce(machine: Machine) -> str:
    """Run `dvc repro --pull` and assert that no stage ran."""
    output = machine.run("dvc", "repro", "--pull")
    assert "Running stage" not in output
    assert machine.run("git", "status", "--porcelain") == ""
    return output


def records_of(machine: Machine) -> dict[str, bytes]:
    """Return the run-cache: a record by run, named as a remote names it."""
    cached = machine.cache().read()
    return {name: record for name, record in cached.items() if name.startswith("runs/")}


@pytest.mark.parametrize("remote", ["folder", "ssh", "s3"], indirect=True)
def test_an_empty_machine_ends_with_the_same_files(
    first: Machine, remote: Remote, tmp_path: Path
) -> None:
    first.share(remote)
    first.run("git", "switch", "-q", "other")
    first.run("git", "merge", "-q", "main")
    first.push()
    assert set(whole(remote.storage)) >= set(records_of(first))

    second = Machine.clone_of(first, tmp_path / "second")
    second.unlock(remote)
    reproduce(second)
    assert second.outs() == first.results["other"]
    assert records_of(second) == records_of(first)
    second.run("git", "switch", "-q", "main")
    reproduce(second)
    assert second.outs() == first.results["main"]


@pytest.mark.parametrize("remote", ["folder"], indirect=True)
def test_http_serves_for_reading_without_the_run_cache(
    first: Machine, remote: Remote, tmp_path: Path
) -> None:
    first.share(remote)
    first.push()
    with http_server(tmp_path / "remote") as address:
        second = Machine.clone_of(first, tmp_path / "second")
        second.unlock(Remote({}, remote.storage, {"url": address}))
        output = reproduce(second)
        assert "run-cache is not supported for http filesystem" in output
        assert records_of(second) == {}
        assert second.outs() == first.results["main"]

        remote.storage.remove(model_of(first, "main"))
        before = remote.storage.read()
        assert "ERROR" in second.push(expect=2)
        assert remote.storage.read() == before


@pytest.mark.parametrize("remote", ["folder"], indirect=True)
def test_a_branch_and_a_tag_from_before_the_remote_are_pushed_too(
    first: Machine, remote: Remote
) -> None:
    """Plain `dvc push --all-branches` leaves such a branch out, and remembers that it did."""
    first.run("git", "tag", "published", "other")
    first.share(remote)
    first.run("dvc", "push", "--all-branches")
    first.push()
    assert model_of(first, "other") in whole(remote.storage)

    first.run("git", "branch", "-q", "-D", "other")
    remote.storage.remove(model_of(first, "published"))
    first.push()
    assert model_of(first, "published") in whole(remote.storage)


@pytest.mark.parametrize("remote", ["folder"], indirect=True)
def test_what_is_nowhere_is_said_and_the_rest_is_pushed(first: Machine, remote: Remote) -> None:
    first.share(remote)
    lost = model_of(first, "other")
    (first.folder / ".dvc/cache" / lost).unlink()
    for _ in range(2):
        output = first.push()
        assert "do not exist neither locally nor on remote" in output
        assert oid_of(lost) in output
    assert model_of(first, "main") in whole(remote.storage)


@pytest.mark.parametrize("remote", ["folder"], indirect=True)
def test_another_remote_is_named(first: Machine, remote: Remote, tmp_path: Path) -> None:
    first.share(remote)
    first.run("dvc", "remote", "add", "second", str(tmp_path / "elsewhere"))
    first.run("make", "-s", "-o", "setup", "push", "REMOTE=second")
    assert model_of(first, "other") in Folder(tmp_path / "elsewhere").read()
    assert not remote.storage.read()
