"""A folder is given up again."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from adopting import PARAMS, SHORT, adopted
from cifar_pipeline.adopt.adoption import adopt_folder
from cifar_pipeline.adopt.choices import Options
from cifar_pipeline.adopt.params_file import changed, write_text
from cifar_pipeline.adopt.way_back import return_to_cifar10
from closure import ROOT
from params_files import with_presets

OPTIONS = Options(
    image_size=64,
    fit="stretch",
    model="best",
    validation_images=9,
    test_images=0.3,
    flip="none",
    broken_images="leave_out",
)


@pytest.mark.parametrize("options", [Options(), OPTIONS])
@pytest.mark.parametrize("notes", [True, False])
def test_the_way_back(
    pictures: Path, tmp_path: Path, options: Options, notes: bool, capsys: Any
) -> None:
    adopt_folder(pictures, PARAMS, options)
    assert PARAMS.read_bytes() != SHORT
    if not notes:  # of another machine
        shutil.rmtree(tmp_path / "cache")
    return_to_cifar10(PARAMS)
    expected = SHORT
    if not notes and options.model:  # nobody knows that adopt chose it
        expected = expected.replace(b"model: fast ", b"model: best ")
    assert PARAMS.read_bytes() == expected
    assert "CIFAR-10 again" in capsys.readouterr().out
    return_to_cifar10(PARAMS)
    assert "CIFAR-10 already" in capsys.readouterr().out
    assert PARAMS.read_bytes() == expected


def test_the_way_back_for_the_committed_file(pictures: Path) -> None:
    committed = (ROOT / "params.yaml").read_bytes()
    PARAMS.write_bytes(committed)
    adopt_folder(pictures, PARAMS, OPTIONS)
    return_to_cifar10(PARAMS)
    assert PARAMS.read_bytes() == committed


def test_the_way_back_leads_to_what_was_there(pictures: Path) -> None:
    mine = {"preprocess.validation_images": 300, "train.model": "quick", "train.flip": "none"}
    write_text(PARAMS, changed(PARAMS, mine).text)
    before = PARAMS.read_bytes()
    assert adopted(pictures)["train"]["model"] == "fast"
    # A second folder, and a preset chosen by hand in between.
    shutil.copytree(pictures, "others")
    shutil.rmtree("others/test")
    assert adopted(Path("others"), test_images=0.5)["preprocess"]["test_images"] == 0.5
    return_to_cifar10(PARAMS)
    assert PARAMS.read_bytes() == before
    adopted(pictures)
    write_text(PARAMS, changed(PARAMS, {"train.model": "best"}).text)
    return_to_cifar10(PARAMS)
    assert PARAMS.read_bytes() == before.replace(b"model: quick", b"model: best")
    # Also of what adopt did not touch, and the user did.
    write_text(PARAMS, changed(PARAMS, {"download.fit": "pad", "train.model": "quick"}).text)
    before = PARAMS.read_bytes()
    adopted(pictures)
    write_text(PARAMS, changed(PARAMS, {"download.fit": "stretch"}).text)
    return_to_cifar10(PARAMS)
    assert PARAMS.read_bytes() == before


def test_pictures_that_were_named_by_hand_are_left_too(pictures: Path) -> None:
    write_text(PARAMS, changed(PARAMS, {"download.source": "pictures"}).text)
    adopted(pictures)
    return_to_cifar10(PARAMS)
    assert PARAMS.read_bytes() == SHORT


def test_the_way_back_of_an_adoption_on_another_machine(pictures: Path, tmp_path: Path) -> None:
    large = with_presets("fast", "fast64").encode()
    PARAMS.write_bytes(large)
    adopted(pictures, image_size=64)
    shutil.rmtree(tmp_path / "cache")
    for _ in range(2):  # noted anew, without what was before
        assert adopted(pictures)["train"]["model"] == "fast64"
    return_to_cifar10(PARAMS)
    assert PARAMS.read_bytes() == large
