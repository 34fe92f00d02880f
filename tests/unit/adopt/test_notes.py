"""Notes of an adoption, and what has changed since."""

from pathlib import Path

import pytest

from cifar_pipeline.adopt.notes import (
    Adoption,
    NotedFile,
    changes_between,
    forget_adoption,
    read_adoption,
    write_adoption,
)

FILES = {"a\udcff.png": NotedFile("train", "cat", "1" * 16), "b.png": NotedFile("test", "dog", "2")}
ADOPTION = Adoption(digest="3" * 64, files=FILES, before={"x": [None], "y": []}, model="fast")


def test_notes_are_of_one_project(project: Path, tmp_path: Path) -> None:
    assert read_adoption(Path("params.yaml")) is None
    write_adoption(Path("params.yaml"), ADOPTION)
    assert read_adoption(project / "params.yaml") == ADOPTION
    assert read_adoption(tmp_path / "params.yaml") is None
    forget_adoption(project / "params.yaml")
    forget_adoption(project / "params.yaml")
    assert read_adoption(Path("params.yaml")) is None


@pytest.mark.parametrize("content", ["", "[]", '{"digest": 1}', "{"])
def test_damaged_notes_are_none(project: Path, tmp_path: Path, content: str) -> None:
    write_adoption(project / "params.yaml", ADOPTION)
    (notes,) = (tmp_path / "cache").iterdir()
    notes.write_text(content)
    assert read_adoption(project / "params.yaml") is None


def test_a_cache_that_takes_nothing_is_no_error(project: Path, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file")
    write_adoption(project / "params.yaml", ADOPTION)
    assert read_adoption(project / "params.yaml") is None
    forget_adoption(project / "params.yaml")


def test_changes() -> None:
    after = {
        "b.png": NotedFile("test", "cat", "2"),
        "c.png": NotedFile("train", "cat", "5"),
    }
    assert changes_between(FILES, after) == (["c.png"], ["a\udcff.png"], ["b.png"])
    assert not any(changes_between(FILES, FILES))
