"""Which files arguments name."""

import os
from pathlib import Path

import pytest

from cifar_pipeline.images.paths import PictureError, expand, shown


def lay_out(*names: str) -> None:
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).touch()


def test_files_in_the_order_given_and_once() -> None:
    lay_out("b.png", "a.png", "c.txt")
    assert list(expand(["b.png", "c.txt", "a.png", "b.png", "gone.png", "*.png"])) == [
        *("b.png", "c.txt", "a.png", "gone.png")
    ]


def test_a_folder_stands_for_its_pictures() -> None:
    lay_out(
        "f/b.PNG",
        "f/a.jpeg",
        "f/notes.txt",
        "f/.hidden.png",
        "f/.git/x.png",
        "f/@eaDir/x.png",
        "f/sub/c.webp",
    )
    Path("f/loop").symlink_to(Path("f").resolve())
    Path("f/broken.gif").symlink_to("gone")
    expected = ["f/a.jpeg", "f/b.PNG", "f/broken.gif", "f/sub/c.webp"]
    assert list(expand(["f"])) == expected
    assert list(expand(["f/"])) == expected


def test_patterns_are_sorted_and_literal_names_come_first() -> None:
    lay_out("p/10.png", "p/2.png", "p/.h.png", "p/deep/3.png", "a[1].png", "a1.png")
    assert list(expand(["p/*.png"])) == ["p/10.png", "p/2.png"]
    assert list(expand(["p/**/*.png"])) == ["p/10.png", "p/2.png", "p/deep/3.png"]
    assert list(expand(["p/**.png"])) == list(expand(["p/*.png"])) == ["p/10.png", "p/2.png"]
    assert list(expand(["p/?.png", "p/d*"])) == ["p/2.png", "p/deep/3.png"]
    assert list(expand(["a[1].png"])) == ["a[1].png"]
    assert list(expand([str(Path("p").resolve() / "2*")])) == [str(Path("p/2.png").resolve())]


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("*.png", r"\*\.png: no file matches"),
        ("f", "f: this folder has no picture, .*.png, "),
        ("", "an empty name: names nothing"),
    ],
)
def test_arguments_that_name_nothing(argument: str, message: str) -> None:
    lay_out("f/notes.txt")
    (error,) = expand([argument])
    assert isinstance(error, PictureError)
    with pytest.raises(PictureError, match=message):
        raise error


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a b ü 日本 😀.png", "a b ü 日本 😀.png"),
        ("a\nb\x1b[31m\x07", r"a\nb\x1b[31m\x07"),
        ("a\u202egnp.exe\x9b", r"a\u202egnp.exe\x9b"),
        (os.fsdecode(b"a\xff.png"), r"a\udcff.png"),
        (r"a\nb", r"a\\nb"),
        ("a\xa0b\u2028", r"a\xa0b\u2028"),
    ],
)
def test_names_are_shown_without_what_acts_on_a_terminal(name: str, expected: str) -> None:
    assert shown(name) == expected
    assert shown(name).encode()


def test_two_links_back_to_their_folder_are_not_followed_for_ever() -> None:
    lay_out("p/a.png", "p/q/b.png")
    for name in ("one", "two"):
        Path("p/q", name).symlink_to(Path("p").resolve())
    for argument in ("p", "p/**", "p/**/*.png"):
        assert list(expand([argument])) == ["p/a.png", "p/q/b.png"]
