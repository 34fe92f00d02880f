"""The splits of a user's own images."""

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cifar_pipeline.common.errors import ParamsError, PipelineError
from cifar_pipeline.dataset.arrays import load_class_names, load_split
from cifar_pipeline.dataset.image_set import load_files, load_image_set
from cifar_pipeline.download.own_pictures import install_pictures
from cifar_pipeline.images.decoding import decode_picture
from cifar_pipeline.params.preprocess import PreprocessParams
from cifar_pipeline.preprocess.stage import preprocess
from picture_folders import NAMES, download_params
from pictures import noise


def write(folder: Path, *files: str) -> None:
    """Write pictures of 8 x 8 pixels; files of one name and ending hold the same picture."""
    for name in files:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        seed = int(path.stem) if path.stem.isdigit() else sum(str(name).encode())
        Image.fromarray(noise(8, 8, seed=seed)).save(path)


def splits_of(folder: Path, **changes: object) -> tuple[dict[str, int], Path]:
    """Run download's and preprocess' own work on a folder; return sizes and processed folder."""
    raw, processed = folder.parent / "raw", folder.parent / "processed"
    with pytest.raises(PipelineError, match="not given") as caught:
        install_pictures(folder, raw, download_params())
    digest = re.findall(r"SHA-256 ([0-9a-f]{64})", str(caught.value))[0]
    install_pictures(folder, raw, download_params(pictures=digest))
    params = PreprocessParams.model_validate(
        {"validation_images": 0.25, "test_images": 0.25, "seed": 1, **changes}
    )
    return preprocess(raw, processed, params), processed


def files_of(processed: Path) -> dict[str, list[str]]:
    """Return the files of each split, and assert that the arrays hold their pictures."""
    table = load_files(processed, "preprocess")
    folder = processed.parent / "pictures"
    found = {}
    for part in ("train", "validation", "test"):
        images, labels = load_split(processed, part)
        of_part = table[table["part"] == part]
        found[part] = of_part["file"].tolist()
        assert labels.tolist() == of_part["label"].tolist()
        for image, file in zip(images, found[part], strict=True):
            assert np.array_equal(image, decode_picture(str(folder / file)))
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "pictures"


def classes(part: str, number: int) -> list[str]:
    prefix = f"{part}/" if part else ""
    return [f"{prefix}{name}/{part or 'x'}{at}.png" for name in NAMES for at in range(number)]


def test_class_folders_give_three_parts(folder: Path) -> None:
    write(folder, *classes("", 8))
    sizes, processed = splits_of(folder)
    assert sizes == {"train": 14, "validation": 4, "test": 6}
    files = files_of(processed)
    assert len({file for part in files.values() for file in part}) == 24
    for part in ("train", "validation", "test"):
        assert set(load_split(processed, part)[1]) == {0, 1, 2}
    assert load_class_names(processed) == NAMES


def test_given_parts_are_used_as_they_are(folder: Path) -> None:
    write(folder, *classes("train", 4), *classes("val", 2), *classes("test", 3))
    sizes, processed = splits_of(folder, validation_images=1)
    assert sizes == {"train": 12, "validation": 6, "test": 9}
    files = files_of(processed)
    assert all(file.startswith("val/") for file in files["validation"])
    assert all(file.startswith("test/") for file in files["test"])


def test_three_pictures_a_class_suffice(folder: Path) -> None:
    write(folder, *classes("", 3))
    sizes, _ = splits_of(folder, validation_images=0.01, test_images=0.01)
    assert sizes == {"train": 3, "validation": 3, "test": 3}


def test_two_suffice_where_a_test_part_is_given(folder: Path) -> None:
    write(folder, *classes("train", 2), *classes("test", 1))
    assert splits_of(folder)[0] == {"train": 3, "validation": 3, "test": 3}


def test_a_class_that_is_too_small_is_named(folder: Path) -> None:
    write(folder, *classes("", 4), "too few/1.png", "too few/2.png")
    with pytest.raises(ParamsError, match="test_images: class 'too few' has 2 images"):
        splits_of(folder)


def test_repeated_pictures_are_told_and_left_out_on_demand(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(folder, *classes("train", 4), *classes("val", 2), *classes("test", 2))
    # One in two parts, and one under two labels; one twice in a class is no matter.
    write(folder, "train/dog/77.png", "test/dog/77.png")
    write(folder, "train/dog/78.png", "train/a cat/78.png")
    write(folder, "train/dog/79.png", "train/dog/x/79.png")
    sizes, processed = splits_of(folder)
    assert sizes["train"] == 17
    assert "3 training images are also in another part or under another" in capsys.readouterr().out
    assert load_image_set(processed, "preprocess").repeated == 3
    assert not load_image_set(processed, "preprocess").repeated_left_out
    sizes, processed = splits_of(folder, repeated_images="leave_out")
    assert sizes == {"train": 14, "validation": 6, "test": 7}
    described = load_image_set(processed, "preprocess")
    assert (described.repeated, described.repeated_left_out) == (3, True)
    left = files_of(processed)["train"]
    assert not {"train/dog/77.png", "train/dog/78.png", "train/a cat/78.png"} & set(left)
    assert {"train/dog/79.png", "train/dog/x/79.png"} <= set(left)


def test_a_class_that_would_be_left_out_as_a_whole_is_named(folder: Path) -> None:
    write(folder, *classes("train", 2), *classes("val", 1), *classes("test", 1))
    write(folder, "train/x/77.png", "val/x/78.png", "test/x/77.png")
    assert splits_of(folder)[0]["train"] == 7
    with pytest.raises(ParamsError, match="leaves no training image of class 'x'") as caught:
        splits_of(folder, repeated_images="leave_out")
    assert "\n" not in str(caught.value)


def test_two_pictures_a_class_suffice_beside_a_validation_part(folder: Path) -> None:
    write(folder, *classes("train", 2), *classes("val", 1))
    assert splits_of(folder)[0] == {"train": 3, "validation": 3, "test": 3}
