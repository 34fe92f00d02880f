"""Notes of an adoption, and what has changed since."""

import re
from pathlib import Path

import pytest

from cifar_pipeline.adopt.notes import (
    Adoption,
    NotedFile,
    changes_between,
    files_in_raw,
    forget_adoption,
    read_adoption,
    renamed_classes,
    write_adoption,
)
from cifar_pipeline.common.errors import PipelineError
from cifar_pipeline.download.own_pictures import install_pictures
from picture_folders import download_params, write_pictures

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
    assert changes_between(FILES, after) == (["c.png"], ["a\udcff.png"], ["b.png"], {})
    assert not any(changes_between(FILES, FILES))
    # Of one whose bytes were not noted, only part and class are known.
    unknown = {name: file._replace(sha256="?") for name, file in FILES.items()}
    assert not any(changes_between(unknown, FILES))
    assert changes_between(unknown, after).changed == ["b.png"]


def test_without_notes_the_files_are_those_of_which_download_made_arrays(tmp_path: Path) -> None:
    written = write_pictures(tmp_path / "pictures")
    raw = tmp_path / "data/raw"
    assert files_in_raw(raw, None) is None
    with pytest.raises(PipelineError) as caught:
        install_pictures(tmp_path / "pictures", raw, download_params())
    digest = re.findall(r"SHA-256 ([0-9a-f]{64})", str(caught.value))[0]
    install_pictures(tmp_path / "pictures", raw, download_params(digest))
    files = files_in_raw(raw, digest)
    assert files is not None
    assert files.keys() == written.keys()
    assert files["test/dog/0.png"][:2] == ("test", "dog")
    assert files_in_raw(raw, "0" * 64) is None  # of other pictures
    (raw / "files.csv").write_text("damaged")
    assert files_in_raw(raw, digest) is None


def files_of(**classes: str) -> dict[str, NotedFile]:
    """Return a file for each letter of a class, whose bytes the letter stands for."""
    return {
        f"{name}/{at}.png": NotedFile("train", name, content)
        for name, contents in classes.items()
        for at, content in enumerate(contents)
    }


def test_renamed_files_and_classes() -> None:
    before = files_of(cat="abb", dog="cd", cow="ef", ape="g?")
    after = files_of(cat="abb", wolf="cdx", ox="e", bull="f", gorilla="g?")
    changes = changes_between(before, after)
    assert changes.renamed == {
        "ape/0.png": "gorilla/0.png",
        "cow/0.png": "ox/0.png",
        "cow/1.png": "bull/0.png",
        "dog/0.png": "wolf/0.png",
        "dog/1.png": "wolf/1.png",
    }
    # Bytes that were not noted are no reason to call a file renamed.
    assert (changes.added, changes.removed) == (["gorilla/1.png", "wolf/2.png"], ["ape/1.png"])
    assert renamed_classes(changes, before, after) == {"dog": "wolf"}


def test_copies_are_renamed_one_by_one() -> None:
    before, after = files_of(cat="aaa", dog="b"), files_of(fox="aa", dog="bb")
    changes = changes_between(before, after)
    assert changes.renamed == {"cat/0.png": "fox/0.png", "cat/1.png": "fox/1.png"}
    assert (changes.added, changes.removed) == (["dog/1.png"], ["cat/2.png"])
    assert renamed_classes(changes, before, after) == {}
    # Two classes that became one are not renamed.
    merged = files_of(fox="aaab")
    assert renamed_classes(changes_between(before, merged), before, merged) == {}
