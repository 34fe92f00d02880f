"""Every way in which people lay out a folder of images."""

import unicodedata
from pathlib import Path

import pytest

from cifar_pipeline.images.errors import ImageFolderError
from cifar_pipeline.images.layout import MOST_CLASSES, find_images


def make(root: Path, *files: str) -> Path:
    """Make empty files: no image is opened."""
    for name in files:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def found(root: Path) -> dict[str, list[tuple[str, str]]]:
    """Return class and file of each part."""
    folder = find_images(root)
    return {
        part: [(folder.names[label], path.relative_to(root).as_posix()) for path, label in files]
        for part, files in folder.parts.items()
    }


@pytest.mark.parametrize("validation", ["val", "valid", "Validation"])
def test_parts_in_folders(tmp_path: Path, validation: str) -> None:
    files = [f"{part}/{name}/1.png" for part in ("train", validation, "TEST") for name in "ba"]
    assert found(make(tmp_path, *files, "readme.txt")) == {
        "train": [("a", "train/a/1.png"), ("b", "train/b/1.png")],
        "validation": [("a", f"{validation}/a/1.png"), ("b", f"{validation}/b/1.png")],
        "test": [("a", "TEST/a/1.png"), ("b", "TEST/b/1.png")],
    }


def test_class_folders_alone(tmp_path: Path) -> None:
    make(tmp_path, "10/2.png", "10/1.png", "9 lives/x/1.png", "9 lives/0.png", ".git/config")
    assert found(tmp_path) == {
        "train": [
            ("10", "10/1.png"),
            ("10", "10/2.png"),
            ("9 lives", "9 lives/0.png"),
            ("9 lives", "9 lives/x/1.png"),
        ]
    }


def test_names_that_look_the_same_are_one_class(tmp_path: Path) -> None:
    composed, decomposed = (unicodedata.normalize(form, "é") for form in ("NFC", "NFD"))
    make(tmp_path, f"train/{composed}/1.png", f"train/{decomposed}/2.png", "train/x/1.png")
    make(tmp_path, f"test/{decomposed}/1.png", "test/x/1.png")
    folder = find_images(tmp_path)
    assert folder.names == ("x", composed)
    assert [file.label for file in folder.parts["train"]] == [0, 1, 1]
    assert [file.label for file in folder.parts["test"]] == [0, 1]


def test_a_long_name_is_whole(tmp_path: Path) -> None:
    name = "a" * 200
    assert find_images(make(tmp_path, f"{name}/1.png", "b/1.png")).names == (name, "b")


def test_emoji_and_scripts_keep_their_joiners(tmp_path: Path) -> None:
    names = ("\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "\u2764\ufe0f\u200d\U0001f525")
    make(tmp_path, *(f"{part}/{name}/1.png" for part in ("train", "test") for name in names))
    assert find_images(tmp_path).names == names


@pytest.mark.parametrize("parts", [("",), ("train/", "test/")])
def test_names_that_differ_in_nothing_that_is_seen_are_refused(
    tmp_path: Path, parts: tuple[str, ...]
) -> None:
    make(tmp_path, *(f"{part}cat/1.png" for part in parts))
    make(tmp_path, f"{parts[0]}\u2764/1.png", f"{parts[-1]}\u2764\ufe0f/1.png")
    message = r"the classes \u2764 and \u2764\\ufe0f look alike; give both the same name"
    with pytest.raises(ImageFolderError, match=message):
        find_images(tmp_path)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ([], r"found no folders and no table; understood are"),
        (["1.png", "2.png"], r"found 2 images and no folders; understood are train/CLASS/"),
        (["1.png"], r"found 1 image and no folders"),
        (["a/1.png"], r"one class, a \(class folders alone\)"),
        (["train/a/1.png"], r"one class, a \(train with class folders\)"),
        (["set/train/a/1.png", "set/train/b/1.png"], r"nothing but the folder set; name that one"),
        (["set/a/1.png", "set/b/1.png"], r"nothing but the folder set; name that one: .*/set$"),
        (
            ["a/train/1.png", "a/test/1.png", "b/train/1.png"],
            r"found a/t\w+/; expected the part above the class, t\w+/a/",
        ),
        (["x/a/1.png", "y/b/1.png"], r"found no images in x but folders in it, such as a"),
        (["train/1.png", "train/a/1.png"], r"found 1 image beside the class folders \(1\.png\)"),
        (
            ["train/a/1.png", "test/1.png", "test/2.png"],
            r"test: found 2 images and no class",
        ),
        (["val/a/1.png", "test/a/1.png"], r"found test, val and no train/"),
        (["train/a/1.png", "val/a/1.png", "valid/a/1.png"], r"val and valid are the same part"),
        (
            ["train/a/1.png", "train/b/1.png", "test/a/1.png", "test/c/1.png"],
            r"b in train/ alone, c in test/ alone; expected the same classes in train/ and test/",
        ),
        (["train/a/1.png", "train/b/1.png", "test/.hidden"], r"test has no class folders"),
        (["train/a/1.png", "train/b/.hidden"], r"train/b holds no images"),
        (
            ["train/a/1.png", "test/a/.hidden", "train/b/1.png", "test/b/Thumbs.db"],
            r"test/a, test/b hold no images; add some, or remove the folder",
        ),
        (["test/a/1.png", "control/a.png"], r"found test and no train/; .* has to be renamed"),
        (["a\u200d/1.png", "b/1.png"], r"a\\u200d cannot be the name of a class: .*\(\\u200d\)"),
        (["a.csv", "b.csv", "x/1.png"], r"found a\.csv, b\.csv, expected one \.csv at most"),
    ],
)
def test_another_layout_is_one_line(tmp_path: Path, files: list[str], message: str) -> None:
    make(tmp_path, *files)
    if "train/b/.hidden" in files:
        make(tmp_path, "train/a/2.png")
    with pytest.raises(ImageFolderError, match=message) as caught:
        find_images(tmp_path)
    assert "\n" not in str(caught.value)
    assert str(tmp_path) in str(caught.value)


def test_more_classes_than_a_label_counts_are_refused_by_number(tmp_path: Path) -> None:
    make(tmp_path, *(f"{name}/1.png" for name in range(MOST_CLASSES)))
    assert len(find_images(tmp_path).names) == 256
    make(tmp_path, "one more/1.png")
    with pytest.raises(ImageFolderError, match="257 classes, and labels count 256 at most"):
        find_images(tmp_path)


@pytest.mark.parametrize(
    "name", ["Thumbs.db", "@eaDir/1.png/SYNO.png", "__MACOSX/._1.png", "$RECYCLE.BIN/1", "Icon\r"]
)
def test_what_systems_leave_is_no_image_and_no_class(tmp_path: Path, name: str) -> None:
    make(tmp_path, "a/1.png", "b/1.png")
    before = found(tmp_path)
    make(tmp_path, name, f"a/{name}")
    assert found(tmp_path) == before


def test_links_that_lead_round_are_one_line(tmp_path: Path) -> None:
    make(tmp_path, "a/x/1.png", "b/1.png")
    (tmp_path / "b/round").symlink_to(tmp_path / "a/x")
    assert [name for _, name in found(tmp_path)["train"]] == [
        "a/x/1.png",
        "b/1.png",
        "b/round/1.png",
    ]
    (tmp_path / "a/x/round").symlink_to(tmp_path / "b")
    with pytest.raises(ImageFolderError, match="is a link to a folder around it; remove it"):
        find_images(tmp_path)


def test_no_such_folder(tmp_path: Path) -> None:
    with pytest.raises(ImageFolderError, match="gone does not exist"):
        find_images(tmp_path / "gone")
