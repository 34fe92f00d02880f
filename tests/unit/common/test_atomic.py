"""What processes that were killed have left goes; what living ones have in work stays."""

import errno
import fcntl
import os
from pathlib import Path

import pytest

from cifar_pipeline.common.atomic import exchange, remove_leftovers, replacing, scratch_folder


def test_what_a_killed_process_left_of_a_file_goes(tmp_path: Path) -> None:
    path = tmp_path / "model [1].keras"
    for name in (f".{path.name}.abc.keras", f".{path.name}.abc.keras.def"):
        (tmp_path / name).write_text("half")
    (tmp_path / ".model 1.keras.abc.keras").write_text("of another file")
    with replacing(path) as temporary:
        temporary.write_text("whole")
    assert {entry.name for entry in tmp_path.iterdir()} == {path.name, ".model 1.keras.abc.keras"}


def test_what_another_process_writes_stays(tmp_path: Path) -> None:
    path = tmp_path / "notes.json"
    with replacing(path) as theirs:
        theirs.write_text("theirs")
        with replacing(path) as ours:
            ours.write_text("ours")
        remove_leftovers(path)
        assert path.read_text() == "ours"
    assert path.read_text() == "theirs"
    assert list(tmp_path.iterdir()) == [path]


def test_without_locks_nothing_is_taken_for_left_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    path = tmp_path / "notes.json"
    with replacing(path) as theirs:
        theirs.write_text("theirs")
        with replacing(path) as ours:
            ours.write_text("ours")
    assert path.read_text() == "theirs"


def test_locks_that_hold_off_the_own_process_are_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on CIFS: a file that one descriptor has locked takes writes through no other."""
    locked: set[int] = set()

    def flock(descriptor: int, operation: int) -> None:
        inode = os.fstat(descriptor).st_ino
        if operation == fcntl.LOCK_UN:
            locked.discard(inode)
        else:
            locked.add(inode)

    write = os.write

    def held_off(descriptor: int, content: bytes) -> int:
        if os.fstat(descriptor).st_ino in locked:
            raise OSError(errno.EACCES, "Permission denied")
        return write(descriptor, content)

    monkeypatch.setattr(fcntl, "flock", flock)
    monkeypatch.setattr(os, "write", held_off)
    path = tmp_path / "notes.json"
    with replacing(path) as theirs:
        descriptor = os.open(theirs, os.O_WRONLY)
        os.write(descriptor, b"theirs")
        os.close(descriptor)
        remove_leftovers(path)
    assert path.read_text() == "theirs"
    assert not locked


def test_a_scratch_folder_goes_and_those_of_killed_processes_with_it(tmp_path: Path) -> None:
    (tmp_path / ".work.abc" / "inner").mkdir(parents=True)
    (tmp_path / "other").mkdir()
    with scratch_folder(tmp_path, ".work.") as theirs, scratch_folder(tmp_path, ".work.") as ours:
        (ours / "file").write_text("half")
        assert {entry.name for entry in tmp_path.iterdir()} == {"other", theirs.name, ours.name}
    assert [entry.name for entry in tmp_path.iterdir()] == ["other"]


def test_two_folders_exchange_their_names(tmp_path: Path) -> None:
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"of the {name} one").write_text("")
    exchange(tmp_path / "new", tmp_path / "old")
    assert [path.name for path in (tmp_path / "old").iterdir()] == ["of the new one"]
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["of the old one"]
    with pytest.raises(FileNotFoundError, match="missing"):
        exchange(tmp_path / "new", tmp_path / "missing")
