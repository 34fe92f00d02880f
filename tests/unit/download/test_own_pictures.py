"""A folder of pictures of one's own as the source of the pipeline."""

import hashlib
import os
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cifar_pipeline.common.checksums import check_manifest, read_manifest
from cifar_pipeline.common.errors import PipelineError
from cifar_pipeline.dataset.binary_format import read_batches, read_class_names
from cifar_pipeline.download.own_pictures import install_pictures
from cifar_pipeline.download.picture_source import is_picture_folder
from picture_folders import NAMES, write_pictures
from pictures import as_nobody


def digest_said(folder: Path, raw: Path) -> str:
    with pytest.raises(PipelineError, match="not given") as caught:
        install_pictures(folder, raw, None)
    return re.findall(r"SHA-256 ([0-9a-f]{64})", str(caught.value))[0]


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    write_pictures(tmp_path / "pictures")
    return tmp_path / "pictures"


def test_pictures_become_batches(tmp_path: Path) -> None:
    folder, raw = tmp_path / "pictures", tmp_path / "raw"
    written = write_pictures(folder)
    # Neither of them is a picture, and neither is looked at.
    (folder / "train/dog/.DS_Store").write_bytes(b"x")
    (folder / "notes.txt").write_text("x")
    assert install_pictures(folder, raw, digest_said(folder, raw)) == 36
    check_manifest(raw, list(read_manifest(raw, "download")), "download")
    assert read_class_names(raw / "batches.meta.txt") == NAMES
    images, labels = read_batches(raw, ("data_batch_1.bin",), 3)
    assert labels.tolist() == [0] * 8 + [1] * 8 + [2] * 8
    for at, name in enumerate(name for name in written if name.startswith("train")):
        np.testing.assert_array_equal(images[at], written[name])
    assert read_batches(raw, ("test_batch.bin",), 3)[1].tolist() == [0] * 4 + [1] * 4 + [2] * 4


def test_the_digest_is_of_what_sha256sum_prints(pictures: Path, tmp_path: Path) -> None:
    names = sorted(path for part in ("train", "test") for path in (pictures / part).rglob("*.png"))
    lines = [
        f"{hashlib.sha256(name.read_bytes()).hexdigest()}  {name.relative_to(pictures)}\n"
        for name in names
    ]
    by_hand = hashlib.sha256("".join(lines).encode()).hexdigest()
    assert digest_said(pictures, tmp_path / "raw") == by_hand


def test_another_picture_is_another_digest(pictures: Path, tmp_path: Path) -> None:
    before = digest_said(pictures, tmp_path / "raw")
    Image.new("RGB", (32, 32)).save(pictures / "test/dog/0.png")
    assert digest_said(pictures, tmp_path / "raw") != before
    with pytest.raises(PipelineError, match=before):
        install_pictures(pictures, tmp_path / "raw", before)
    assert not (tmp_path / "raw").exists()


def test_large_pictures_of_any_kind_are_shrunk(pictures: Path, tmp_path: Path) -> None:
    Image.new("L", (300, 200), 77).save(pictures / "train/dog/0.png")
    Image.new("RGB", (640, 480), (1, 2, 3)).save(pictures / "train/dog/9.jpg")
    install_pictures(pictures, tmp_path / "raw", digest_said(pictures, tmp_path / "raw"))
    images, _ = read_batches(tmp_path / "raw", ("data_batch_1.bin",), 3)
    assert len(images) == 25
    assert (images[8] == 77).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda folder: (folder / "train/horse").mkdir(), "horse in one part only"),
        (lambda folder: (folder / "train/dog/x.png").write_bytes(b"GIF"), r"x\.png"),
        (
            lambda folder: [path.unlink() for path in (folder / "test/dog").iterdir()],
            "test/dog holds no pictures",
        ),
        (
            lambda folder: [
                (folder / part / "dog").rename(folder / part / "a\nb") for part in ("train", "test")
            ],
            "cannot be the name of a class",
        ),
    ],
)
def test_what_cannot_be_used_is_one_line(pictures, tmp_path, change, message) -> None:
    change(pictures)
    expected = None
    if "png" in message:
        expected = digest_said(pictures, tmp_path / "raw")
    with pytest.raises(PipelineError, match=message) as caught:
        install_pictures(pictures, tmp_path / "raw", expected)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "raw").exists()


def link(folder: Path, target: str) -> None:
    (folder / "train/dog/x.png").symlink_to(target)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda folder: link(folder, "gone"), r"dog/x\.png: a link to a file that is not there"),
        (lambda folder: link(folder, "x.png"), r"dog/x\.png: .*(symbolic links|a link)"),
        (lambda folder: link(folder, ".."), r"dog/x\.png is a link to a folder around it"),
        (lambda folder: os.mkfifo(folder / "train/dog/x.png"), r"dog/x\.png: a pipe"),
        (lambda folder: (folder / "test/dog/x.png").touch(), r"dog/x\.png: the file is empty"),
        (
            lambda folder: (folder / "train/dog").chmod(0),
            r"train/dog cannot be read \(Permission denied\)",
        ),
        (
            lambda folder: (folder / "train/dog/0.png").chmod(0),
            r"dog/0\.png: cannot be read \(Permission denied\)",
        ),
    ],
)
def test_what_cannot_be_read_is_one_line(pictures: Path, tmp_path: Path, change, message) -> None:
    change(pictures)
    with as_nobody(tmp_path), pytest.raises(PipelineError, match=message) as caught:
        install_pictures(Path(pictures.name), Path("raw"), None)
    assert str(caught.value).startswith("download.source: ")
    assert "\n" not in str(caught.value)


def test_a_name_that_is_no_text(pictures: Path, tmp_path: Path) -> None:
    name = pictures / "train/dog" / os.fsdecode(b"latin-\xe9.png")
    Image.new("RGB", (32, 32)).save(str(name), "PNG")
    everything = sorted(
        path for part in ("train", "test") for path in (pictures / part).rglob("*.png")
    )
    lines = [
        hashlib.sha256(path.read_bytes()).hexdigest().encode()
        + b"  "
        + os.fsencode(path.relative_to(pictures))
        + b"\n"
        for path in everything
    ]
    digest = digest_said(pictures, tmp_path / "raw")
    assert digest == hashlib.sha256(b"".join(lines)).hexdigest()
    assert install_pictures(pictures, tmp_path / "raw", digest) == 37


def test_linked_pictures_and_classes_count(pictures: Path, tmp_path: Path) -> None:
    (pictures / "train/dog").rename(tmp_path / "dogs")
    (pictures / "train/dog").symlink_to(tmp_path / "dogs")
    (pictures / "train/a cat/x.png").symlink_to(tmp_path / "dogs/0.png")
    assert (
        install_pictures(pictures, tmp_path / "raw", digest_said(pictures, tmp_path / "raw")) == 37
    )


def test_one_class_is_none(tmp_path: Path) -> None:
    for part in ("train", "test"):
        (tmp_path / part / "dog").mkdir(parents=True)
    assert is_picture_folder(tmp_path)
    with pytest.raises(PipelineError, match="1 classes; expected train/CLASS/ and test/CLASS/"):
        install_pictures(tmp_path, tmp_path / "raw", None)
