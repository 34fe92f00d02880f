"""A damaged object in a remote with `verify = true`: named, kept out, mended by a push."""

import json
from pathlib import Path

import pytest

from machines import Machine, model_of, object_of
from storage import Remote, name_of, oid_of, whole


def damage(remote: Remote, name: str) -> None:
    """Flip a bit in the middle of an object."""
    content = bytearray(remote.storage.read()[name])
    content[len(content) // 2] ^= 1
    remote.storage.write(name, bytes(content))


def mend(machine: Machine, remote: Remote, name: str) -> None:
    """Do as docs/troubleshooting.md says: remove the object and the list with it, then push."""
    oid = oid_of(name)
    for there, content in remote.storage.read().items():
        if there == name or (there.endswith(".dir") and oid.encode() in content):
            remote.storage.remove(there)
    machine.push()
    assert name in whole(remote.storage)


def train_images(machine: Machine) -> str:
    """Return the name, in a remote, of the largest file of the data that train reads."""
    listed = machine.cache().read()[object_of(machine, "data/processed")]
    (entry,) = [e for e in json.loads(listed) if e["relpath"] == "train_images.npy"]
    return name_of(entry["md5"])


@pytest.mark.parametrize("remote", ["s3"], indirect=True)
def test_a_damaged_model_is_named_and_mended(
    first: Machine, remote: Remote, tmp_path: Path
) -> None:
    first.share(remote)
    first.push()
    name = model_of(first, "main")
    damage(remote, name)

    second = Machine.clone_of(first, tmp_path / "second")
    second.unlock(remote)
    output = second.run("dvc", "pull", expect=1)
    assert "Checkout failed for following targets:\nmodels/model.keras\n" in output
    assert not (second.folder / "models/model.keras").exists()
    assert name not in whole(second.cache())
    assert f"corrupted cache file '{second.folder}/.dvc/cache/{name}'" in (
        second.run("dvc", "fetch", "-v")
    )

    mend(first, remote, name)
    second.run("dvc", "pull")
    assert second.outs() == second.results["main"]


@pytest.mark.parametrize("remote", ["folder"], indirect=True)
def test_damaged_data_is_never_trained_on(first: Machine, remote: Remote, tmp_path: Path) -> None:
    first.share(remote)
    first.push()
    name = train_images(first)
    damage(remote, name)

    second = Machine.clone_of(first, tmp_path / "second")
    output = second.run("dvc", "pull", expect=1)
    assert "Checkout failed for following targets:\ndata/processed\n" in output
    # `dvc repro --pull` makes the folder anew from the undamaged one before it.
    output = second.run("dvc", "repro", "--pull")
    assert "Unable to pull data for stage: 'preprocess'" in output
    assert "Running stage 'preprocess'" in output
    assert "Running stage 'train'" not in output
    assert second.outs() == second.results["main"]

    mend(first, remote, name)


@pytest.mark.parametrize("remote", ["folder"], indirect=True)
def test_a_damaged_list_of_files_is_named(first: Machine, remote: Remote, tmp_path: Path) -> None:
    first.share(remote)
    first.push()
    name = object_of(first, "data/processed")
    content = remote.storage.read()[name]
    remote.storage.write(name, content[: len(content) // 2])

    second = Machine.clone_of(first, tmp_path / "second")
    output = second.run("dvc", "repro", "--pull", expect=255)
    assert f"object {oid_of(name)} is corrupted" in output
    assert "Running stage" not in output
