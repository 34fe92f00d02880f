"""Damage in DVC's cache: found, named, mended, and never trained on. With DVC itself."""

import json
import os
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from workspace import Workspace

ARRAY = "data/processed/train_images.npy"
BATCH = "data/raw/data_batch_1.bin"
MODEL = "models/model.keras"


def oid_of(workspace: Workspace, name: str) -> str:
    """Return the name of an output's object in the cache, as dvc.lock has it."""
    stages = YAML(typ="safe", pure=True).load(workspace.read("dvc.lock"))["stages"]
    outs = {out["path"]: out["md5"] for stage in stages.values() for out in stage["outs"]}
    if name in outs:
        return outs[name]
    folder, _, file = name.rpartition("/")
    listed = json.loads(object_of(workspace, folder).read_text())
    return next(entry["md5"] for entry in listed if entry["relpath"] == file)


def object_of(workspace: Workspace, name: str) -> Path:
    oid = oid_of(workspace, name)
    return workspace.folder / ".dvc/cache/files/md5" / oid[:2] / oid[2:]


def damage(path: Path) -> None:
    """Flip a bit as a bad disk does: neither mode nor time of change tell of it."""
    before = path.stat()
    path.chmod(0o644)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    with path.open("r+b") as file:
        file.write(content)
    path.chmod(before.st_mode & 0o777)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def damage_both(workspace: Workspace, name: str) -> None:
    """Damage an output's object and let DVC check the workspace's copy out from it."""
    damage(object_of(workspace, name))
    (workspace.folder / name).unlink()
    workspace.run("dvc", "checkout")


def verify(workspace: Workspace, *arguments: str, expect: int = 0) -> list[str]:
    command = ("python", "-m", "cifar_pipeline.dvc_cache.verify", *arguments)
    return workspace.run("env", "PYTHONPATH=src", *command, expect=expect).splitlines()


def assert_healed(workspace: Workspace, original: Workspace, *names: str) -> None:
    """Assert that the cache is good and that the files are those of the first run."""
    assert "none is damaged" in verify(workspace)[0]
    for name in names:
        assert workspace.read(name) == original.read(name)
        assert object_of(workspace, name).read_bytes() == original.read(name)
        assert object_of(workspace, name).stat().st_mode & 0o777 == 0o444
    assert workspace.run("git", "status", "--porcelain") == ""


def test_a_good_cache_is_one_line(finished_workspace: Workspace) -> None:
    objects = finished_workspace.folder.glob(".dvc/cache/files/md5/??/*")
    (line,) = verify(finished_workspace)
    assert line.startswith(f".dvc/cache/files/md5: {len(list(objects))} objects, ")
    assert "none is damaged" in line


def test_running_a_stage_again_does_not_heal(workspace: Workspace) -> None:
    """Why the messages do not advise it. When it fails, DVC has learnt to read its objects."""
    damage(object_of(workspace, ARRAY))
    workspace.run("dvc", "repro", "--force", "--single-item", "preprocess")
    assert verify(workspace, expect=1)[0].startswith(f"damaged: {ARRAY} (preprocess): ")


def test_objects_are_put_back_from_a_good_workspace(
    workspace: Workspace, finished_workspace: Workspace
) -> None:
    for name in (ARRAY, MODEL):
        damage(object_of(workspace, name))
    *named, error = verify(workspace, expect=1)
    assert sorted(line.partition(": .dvc")[0] for line in named) == [
        f"damaged: {ARRAY} (preprocess)",
        f"damaged: {MODEL} (train)",
    ]
    assert error.startswith("error: damaged: 2 objects in the cache, 0 files in the workspace; ")
    assert "`make verify ARGS=--repair`" in error
    assert verify(workspace, "--repair")[-1] == "nothing is missing"
    assert_healed(workspace, finished_workspace, ARRAY, MODEL)


def test_a_damaged_array_is_never_trained_on(
    workspace: Workspace, finished_workspace: Workspace
) -> None:
    damage_both(workspace, ARRAY)
    # DVC sees nothing. The stage does.
    assert "up to date" in workspace.run("dvc", "repro")
    output = workspace.run("dvc", "repro", "--force", "--single-item", "train", expect=255)
    (line,) = [line for line in output.splitlines() if line.startswith("error: ")]
    assert line.startswith(f"error: {ARRAY} is corrupt: ")
    assert "`make verify`" in line
    assert "epoch" not in output
    assert "Traceback" not in output

    *named, error = verify(workspace, expect=1)
    assert [line.partition(": .dvc")[0] for line in named] == [
        f"damaged: {ARRAY} (preprocess)",
        f"damaged: {ARRAY} (preprocess): {ARRAY} in the workspace",
    ]
    assert "1 object in the cache, 1 file in the workspace" in error
    assert "`dvc repro` and `make verify` again" in error
    assert "now run `dvc repro`" in verify(workspace, "--repair")[-1]
    output = workspace.run("dvc", "repro")
    assert "Running stage 'preprocess'" in output
    assert "Running stage 'train'" not in output
    assert_healed(workspace, finished_workspace, ARRAY, MODEL)


def test_a_damaged_batch_is_never_preprocessed(workspace: Workspace) -> None:
    damage_both(workspace, BATCH)
    output = workspace.run("dvc", "repro", "--force", "--single-item", "preprocess", expect=255)
    (line,) = [line for line in output.splitlines() if line.startswith("error: ")]
    assert line.startswith(f"error: {BATCH} is corrupt: ")
    assert "`make verify`" in line


@pytest.mark.parametrize("link", ["hardlink", "symlink"])
def test_links_to_a_damaged_object_go_with_it(
    workspace: Workspace, finished_workspace: Workspace, link: str
) -> None:
    workspace.run("dvc", "config", "cache.type", link)
    workspace.commit("links")
    workspace.run("dvc", "checkout", "--relink")
    damage(object_of(workspace, ARRAY))
    assert len(verify(workspace, "--repair")) == 5
    assert not os.path.lexists(workspace.folder / ARRAY)
    workspace.run("dvc", "repro")
    assert_healed(workspace, finished_workspace, ARRAY)


def test_a_remote_brings_back_what_is_removed(
    workspace: Workspace, finished_workspace: Workspace
) -> None:
    workspace.run("dvc", "remote", "add", "--default", "store", str(workspace.folder / "../store"))
    workspace.commit("a remote")
    workspace.run("dvc", "push")
    for name in (MODEL, ARRAY):
        damage_both(workspace, name)
    listing = object_of(workspace, "data/processed")
    good = listing.read_bytes()
    damage(listing)

    output = workspace.run("dvc", "repro", "--force", "--single-item", "evaluate", expect=255)
    (line,) = [line for line in output.splitlines() if line.startswith("error: ")]
    assert line.startswith(f"error: {MODEL} cannot be loaded (")
    assert "`make verify`" in line
    workspace.run("git", "restore", "reports")

    lines = verify(workspace, "--repair")
    # DVC's notes of the workspace name the array while the list of files cannot.
    assert any(line.startswith(f"damaged: {ARRAY} (preprocess): .dvc") for line in lines)
    assert any("the list of files of data/processed (preprocess)" in line for line in lines)
    assert "`dvc pull`" in lines[-1]
    assert not listing.exists()
    assert not (workspace.folder / ARRAY).exists()
    workspace.run("dvc", "pull")
    assert "Running stage" not in workspace.run("dvc", "repro")
    assert listing.read_bytes() == good
    assert_healed(workspace, finished_workspace, ARRAY, MODEL)


def test_a_damaged_list_of_files_is_made_again(
    workspace: Workspace, finished_workspace: Workspace
) -> None:
    listing = object_of(workspace, "data/processed")
    good = listing.read_bytes()
    damage(object_of(workspace, ARRAY))
    damage(listing)
    lines = verify(workspace, "--repair")
    assert any("the list of files of data/processed (preprocess)" in line for line in lines)
    # The workspace tells what the list does not.
    assert any(line.startswith(f"put back from {ARRAY}: ") for line in lines)
    workspace.run("dvc", "repro")
    assert listing.read_bytes() == good
    assert_healed(workspace, finished_workspace, ARRAY)


def test_damage_in_the_workspace_alone(workspace: Workspace, finished_workspace: Workspace) -> None:
    workspace.run("dvc", "status")  # DVC notes the files' times.
    damage(workspace.folder / ARRAY)
    (workspace.folder / "reports/predictions.csv").write_text("a user's own change")
    assert "up to date" not in workspace.run("dvc", "status")
    named, changed, error = verify(workspace, expect=1)
    assert named.endswith(f"{ARRAY} in the workspace")
    assert changed.endswith(": reports/predictions.csv")
    assert "0 objects in the cache, 1 file in the workspace" in error
    verify(workspace, "--repair")
    assert workspace.read("reports/predictions.csv") == b"a user's own change"
    workspace.run("dvc", "checkout", "--force", "reports/predictions.csv")
    assert "Running stage" not in workspace.run("dvc", "repro")
    assert_healed(workspace, finished_workspace, ARRAY)


def test_objects_of_other_commits_are_named(workspace: Workspace) -> None:
    branch = "a-smaller-hold-out"
    workspace.run("git", "switch", "-qc", branch)
    names = {}
    for size in (40, 20, 30):  # of a commit, of the branch, of a run that was not committed
        workspace.set_params({"preprocess.validation_images": size})
        workspace.run("dvc", "repro", "preprocess")
        path = object_of(workspace, ARRAY)
        names[path] = f"preprocess at {branch}" if size == 20 else "an earlier run"
        if size != 30:
            workspace.commit("a smaller hold-out")
        if size == 40:
            commit = workspace.run("git", "rev-parse", "HEAD")
            names[path] = f"preprocess at {commit[:7]}"
    workspace.run("git", "restore", ".")
    workspace.run("git", "switch", "-q", "main")
    workspace.run("dvc", "checkout")
    for path in names:
        damage(path)
    lines = verify(workspace, expect=1)[:-1]
    for path, name in names.items():
        shown = path.relative_to(workspace.folder)
        assert f"damaged: {ARRAY} ({name}): {shown}" in lines
    assert any("does not name" in line for line in verify(workspace, "--repair"))
    verify(workspace)


def test_a_cache_elsewhere_is_the_one_that_is_read(workspace: Workspace) -> None:
    elsewhere = workspace.folder.parent / "shared"
    (workspace.folder / ".dvc/cache").rename(elsewhere)
    workspace.run("dvc", "cache", "dir", str(elsewhere))
    assert str(elsewhere) in verify(workspace)[0]
    oid = oid_of(workspace, MODEL)
    path = elsewhere / "files/md5" / oid[:2] / oid[2:]
    damage(path)
    assert verify(workspace, expect=1)[0] == f"damaged: {MODEL} (train): {path}"


def test_an_object_that_cannot_be_read_stays(workspace: Workspace) -> None:
    path = object_of(workspace, MODEL)
    path.unlink()
    path.symlink_to(path)
    named, error = verify(workspace, "--repair", expect=1)
    assert named.startswith("cannot be read (Too many levels of symbolic links): ")
    assert error.startswith("error: 1 object cannot be read; ")
    assert path.is_symlink()


def test_outside_of_a_repository_it_says_so(workspace: Workspace) -> None:
    (workspace.folder / ".dvc").rename(workspace.folder.parent / "gone")
    (line,) = verify(workspace, expect=1)
    assert line.startswith("error: you are not inside of a DVC repository")


def test_make_passes_the_option_on(workspace: Workspace) -> None:
    damage(object_of(workspace, MODEL))
    # The interpreter of the tests is the environment.
    target = ("make", "--silent", "--old-file=setup", "verify", "ARGS=--repair")
    assert workspace.run(*target).splitlines()[-1] == "nothing is missing"
