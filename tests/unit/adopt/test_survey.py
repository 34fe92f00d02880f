"""What is found in a folder of pictures."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cifar_pipeline.adopt.survey import Survey, survey
from cifar_pipeline.images.layout import TEST, TRAIN, find_images
from picture_folders import write_pictures

pytestmark = pytest.mark.usefixtures("project")


def save(path: Path, *size: int, mode: str = "RGB", colour: object = 7) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, colour).save(path)  # type: ignore[arg-type]


def of(folder: Path) -> Survey:
    return survey(find_images(folder), "crop")


def test_parts_classes_and_pixels(tmp_path: Path) -> None:
    write_pictures(tmp_path / "a")
    found = of(tmp_path / "a")
    assert {part: counts.tolist() for part, counts in found.counts.items()} == {
        TRAIN: [8, 8, 8],
        TEST: [4, 4, 4],
    }
    assert found.sizes == ((32, 32), (32, 32), (32, 32))
    assert (found.short_side, found.elongated, found.repeated, found.grey) == (32, 0, 0, 0)
    assert found.constant == ()
    assert found.contents.faults == {}
    assert sorted(found.labels.tolist()) == [0] * 8 + [1] * 8 + [2] * 8
    # Each small image is of its label: all of a class have nearly one colour.
    for label in range(3):
        colours = found.small[found.labels == label].mean(axis=(1, 2))
        assert np.ptp(colours, axis=0).max() < 20


def test_sizes_are_of_pictures_and_the_short_side_of_training(tmp_path: Path) -> None:
    for at, size in enumerate([(100, 50), (60, 60), (40, 80)]):
        save(tmp_path / f"a/train/x/{at}.png", *size)
        save(tmp_path / f"a/train/y/{at}.png", *size)
    save(tmp_path / "a/test/x/0.png", 500, 400)
    save(tmp_path / "a/test/y/0.png", 10, 12)
    found = of(tmp_path / "a")
    assert found.sizes == ((10, 12), (60, 60), (500, 400))
    assert found.short_side == 50
    assert found.elongated == pytest.approx(4 / 6)


def test_grey_pictures_and_equal_channels(tmp_path: Path) -> None:
    save(tmp_path / "a/x/0.png", 32, 32, mode="L", colour=0)
    save(tmp_path / "a/x/1.png", 32, 32, mode="L", colour=9)
    save(tmp_path / "a/y/0.png", 32, 32, colour=(50, 0, 0))
    found = of(tmp_path / "a")
    assert found.grey == 2
    assert found.constant == ()
    assert found.brightest == 50
    (tmp_path / "a/x/1.png").unlink()
    assert of(tmp_path / "a").constant == ("green", "blue")


def test_files_that_are_no_pictures_do_not_count(tmp_path: Path) -> None:
    write_pictures(tmp_path / "a")
    (tmp_path / "a/train/dog/0.png").write_bytes(b"x")
    found = of(tmp_path / "a")
    assert [path.name for path in found.contents.faults] == ["0.png"]
    assert found.counts[TRAIN].tolist() == [8, 7, 8]
    assert len(found.small) == len(found.labels) == 23
    assert found.small.reshape(23, -1).any(axis=1).all()


def test_the_same_pixels_in_two_parts_or_under_two_labels(tmp_path: Path) -> None:
    write_pictures(tmp_path / "a")
    train = tmp_path / "a/train"
    with Image.open(train / "dog/0.png") as picture:
        picture.save(tmp_path / "a/test/dog/again.bmp")  # other bytes, the same pixels
        picture.save(train / "dog/again.png")  # of the same part and class
    with Image.open(train / "dog/1.png") as picture:
        picture.save(train / "a cat/again.png")
    found = of(tmp_path / "a")
    assert (found.repeated, found.copies) == (5, 1)


def test_what_is_no_image_of_the_set_is_named(tmp_path: Path) -> None:
    write_pictures(tmp_path / "a")
    assert of(tmp_path / "a").unused == ()
    save(tmp_path / "a/extra/x/0.png", 8, 8)
    save(tmp_path / "a/cover.png", 8, 8)
    (tmp_path / "a/train/notes.txt").touch()
    (tmp_path / "a/train/dog/.hidden").touch()
    assert of(tmp_path / "a").unused == ("cover.png", "extra/", "train/notes.txt")
    # Of a table, what no line names.
    save(tmp_path / "b/x/0.png", 8, 8)
    save(tmp_path / "b/x/1.png", 8, 8)
    save(tmp_path / "b/x/2.png", 8, 8)
    (tmp_path / "b/t.csv").write_text("file,label\nx/0.png,a\nx/1.png,b\n")
    assert of(tmp_path / "b").unused == ("x/2.png",)


def test_the_digest_is_of_all_files(tmp_path: Path) -> None:
    write_pictures(tmp_path / "a")
    before = of(tmp_path / "a").digest
    (tmp_path / "a/test/dog/broken.png").write_bytes(b"x")
    assert of(tmp_path / "a").digest != before
