"""A remote that fails half way: both sides stay usable, and the same command completes it."""

from pathlib import Path

import pytest

from disks import fill, small_disk
from machines import Machine
from network import network
from servers import make_key
from storage import Remote, whole

# Of the 2.5 MB that are shared.
HALF_WAY = 1_000_000


def pull(machine: Machine) -> None:
    """Run `dvc repro --pull`; assert that it brings everything and runs no stage."""
    assert "Running stage" not in machine.run("dvc", "repro", "--pull")
    assert machine.outs() == machine.results["main"]


def fail_to_pull(machine: Machine) -> str:
    """Run `dvc repro --pull`; assert that it fails, runs no stage and leaves no half object."""
    output = machine.run("dvc", "repro", "--pull", expect=255)
    assert "Running stage" not in output
    whole(machine.cache())
    return output


@pytest.mark.parametrize("remote", ["ssh", "s3"], indirect=True)
def test_a_connection_that_is_cut(first: Machine, remote: Remote, tmp_path: Path) -> None:
    with network(remote.port) as wire:
        first.share(remote.at(wire.port))
        wire.cut_after(up=HALF_WAY)
        first.push(expect=2)
        assert wire.was_cut
        sent = whole(remote.storage)
        wire.repair()
        first.push()
        assert 0 < len(sent) < len(whole(remote.storage))

        second = Machine.clone_of(first, tmp_path / "second")
        second.unlock(remote)
        wire.cut_after(down=HALF_WAY)
        fail_to_pull(second)
        assert wire.was_cut
        wire.repair()
        pull(second)


@pytest.mark.parametrize("remote", ["folder"], indirect=True)
def test_a_remote_whose_disk_is_full(first: Machine, remote: Remote, tmp_path: Path) -> None:
    folder = tmp_path / "remote"
    with small_disk(folder, kilobytes=1500) as resize:
        first.share(remote)
        assert "No space left on device" in first.push(expect=2)
        whole(remote.storage)
        resize(8000)
        first.push()
        complete = whole(remote.storage)
        second = Machine.clone_of(first, tmp_path / "second")
        pull(second)

        # Nothing but the records of runs is left to send: DVC itself ends with exit code 0 here.
        filling = fill(folder)
        assert "failed to transfer" in first.push(expect=2)
        filling.unlink()
        first.push()
        assert whole(remote.storage) == complete


@pytest.mark.parametrize("remote", ["folder"], indirect=True)
def test_a_full_disk_here(first: Machine, remote: Remote, tmp_path: Path) -> None:
    first.share(remote)
    first.push()
    second = Machine.clone_of(first, tmp_path / "second")
    with small_disk(second.folder / ".dvc/cache", kilobytes=1500) as resize:
        assert "No space left on device" in fail_to_pull(second)
        resize(8000)
        pull(second)


@pytest.mark.parametrize(
    ("remote", "complaint"),
    [("ssh", "Permission denied"), ("s3", "Forbidden")],
    indirect=["remote"],
)
def test_a_wrong_key(first: Machine, remote: Remote, complaint: str, tmp_path: Path) -> None:
    name = list(remote.secrets)[-1]
    wrong = str(make_key(tmp_path / "stranger")) if name == "keyfile" else "a guess"
    stranger = Remote(remote.options, remote.storage, {**remote.secrets, name: wrong})
    first.share(stranger)
    assert complaint in first.push(expect=2)
    assert not remote.storage.read()
    first.unlock(remote)
    first.push()

    second = Machine.clone_of(first, tmp_path / "second")
    second.unlock(stranger)
    assert complaint in fail_to_pull(second)
    second.unlock(remote)
    pull(second)
