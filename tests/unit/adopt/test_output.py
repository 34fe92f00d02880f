"""What adopt prints of a folder."""

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from cifar_pipeline.adopt.choices import Choice
from cifar_pipeline.adopt.notes import Changes
from cifar_pipeline.adopt.output import print_changes, print_choices, print_survey
from cifar_pipeline.adopt.survey import Sizes, Survey
from cifar_pipeline.download.contents import Contents
from cifar_pipeline.images.layout import TEST, TRAIN, ImageFolder

ROOT = Path("a")


@pytest.fixture
def console() -> Console:
    return Console(file=io.StringIO(), markup=False, highlight=False, soft_wrap=True, width=300)


def text_of(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def found(faults: int = 0) -> Survey:
    contents = Contents(
        faults={ROOT / f"{at:02}\x1b.png": "no picture" for at in range(faults)},
        kinds={ROOT / "x": (1, 2, "RGB"), ROOT / "y": (1, 2, "L"), ROOT / "z": (1, 2, "RGB")},
    )
    return Survey(
        images=ImageFolder(ROOT, "train, test with class folders", ("cat [b]", "d\u200b"), {}),
        contents=contents,
        digest="",
        counts={TRAIN: np.array([1200, 7]), TEST: np.array([3, 4])},
        sizes=Sizes((1, 2), (30, 40), (5000, 6)),
        short_side=1,
        elongated=0.0,
        repeated=1234,
        copies=5,
        unused=("extra/", "read\x1bme.txt"),
        grey=1,
        constant=("green", "blue"),
        brightest=9,
        small=np.zeros(0),
        labels=np.zeros(0),
    )


def test_a_folder(console: Console) -> None:
    print_survey(console, found(), Path("list.csv"))
    first, *table, sizes, modes, grey, channels, repeated, unused, broken = text_of(
        console
    ).splitlines()
    assert first == "a: train, test with class folders, 2 classes, 1,214 pictures"
    cells = [[cell.strip() for cell in row.split("│")[1:-1]] for row in table if "│" in row]
    assert cells == [["cat [b]", "1,200", "3"], [r"d\u200b", "7", "4"], ["all", "1,207", "7"]]
    assert sizes == "sizes      smallest 1 x 2, median 30 x 40, largest 5,000 x 6 pixels"
    assert modes == "modes      RGB 2, L 1"
    assert grey == "grey       1 of 3 pictures"
    assert channels == "channels   green, blue: the same in every pixel"
    assert repeated == (
        "repeated   1,234 pictures are in two parts or under two labels; 5 are copies within their "
        "class"
    )
    assert unused == r"not used   2 beside the images: extra/, read\x1bme.txt"
    assert broken == "broken     none"


def test_a_long_name_is_whole() -> None:
    console = Console(file=io.StringIO(), soft_wrap=True, width=80)
    survey = found()
    print_survey(
        console,
        replace(survey, images=replace(survey.images, names=("x" * 250, "y"))),
        Path("list.csv"),
    )
    assert text_of(console).count("x") >= 250
    assert "\u2026" not in text_of(console)


@pytest.mark.parametrize(("faults", "shown"), [(1, 1), (10, 10), (13, 10)])
def test_faults(console: Console, faults: int, shown: int) -> None:
    print_survey(console, found(faults), Path("list.csv"))
    head, *lines = text_of(console).split("broken     ")[1].splitlines()
    assert head.endswith("cannot be used (all of them: list.csv):")
    assert lines[0] == r"           00\x1b.png: no picture"
    more = [f"           ... and {faults - shown} more"] if faults > shown else []
    assert lines[shown:] == more


def test_changes(console: Console) -> None:
    changes = Changes([f"{at}.png" for at in range(6)], [], ["x.png"], {"a": "b", "c": "d"})
    before = {"cat": 3, "dog": 2, "cow": 1, "bee": 4, "fox": 1}
    after = {"cat": 3, "ape": 1, "cow": 2, "wasp": 4, "wolf": 2}
    print_changes(console, changes, {"bee": "wasp", "fox": "wolf"}, before, after)
    assert text_of(console).splitlines() == [
        "since the last adoption:",
        "  class ape: 0 -> 1 file (new)",
        "  class bee: renamed to wasp",
        "  class cow: 1 -> 2 files",
        "  class dog: 2 -> 0 files (gone)",
        "  class fox: renamed to wolf, 1 -> 2 files",
        "  6 added: 0.png, 1.png, 2.png, 3.png, 4.png, ...",
        "  1 changed: x.png",
        "  2 renamed: a -> b, c -> d",
    ]


def test_choices(console: Console) -> None:
    before = {"a": 1, "b": None, "c": 3, "e": 5}
    choices = [Choice("a", 2, "why"), Choice("b", "x", ""), Choice("c", 3, ""), Choice("d", 4, "")]
    choices.append(Choice("e", None, ""))
    print_choices(console, Path("p.yaml"), choices, lambda key: before.get(key, ...))
    assert text_of(console).splitlines() == [
        "p.yaml:",
        "  a: 2 (was 1) - why",
        "  b: x",
        "  c: 3",
        "  d: 4",
        "  e: (was 5)",
    ]
