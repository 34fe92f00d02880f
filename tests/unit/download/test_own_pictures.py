"""A folder of pictures of one's own becomes arrays."""

import csv
import hashlib
import json
import os
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cifar_pipeline.common.checksums import check_manifest, read_manifest
from cifar_pipeline.common.errors import PipelineError
from cifar_pipeline.dataset.arrays import load_class_names
from cifar_pipeline.dataset.decoding import Decoding
from cifar_pipeline.dataset.image_set import load_files, load_image_set
from cifar_pipeline.download.contents import read_contents
from cifar_pipeline.download.own_pictures import install_pictures
from cifar_pipeline.download.picture_source import open_folder
from cifar_pipeline.download.stage import download
from cifar_pipeline.params.download import DownloadParams
from picture_folders import NAMES, download_params, write_pictures
from pictures import as_nobody, noise


def installed(folder: Path, raw: Path, **changes: object) -> dict[str, int]:
    """Install with the digest that the first try names."""
    with pytest.raises(PipelineError, match="not given") as caught:
        install_pictures(folder, raw, download_params(**changes))
    digest = re.findall(r"SHA-256 ([0-9a-f]{64})", str(caught.value))[0]
    return install_pictures(folder, raw, download_params(pictures=digest, **changes))


def arrays(raw: Path, part: str) -> tuple[np.ndarray, np.ndarray]:
    return np.load(raw / f"{part}_images.npy"), np.load(raw / f"{part}_labels.npy")


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    write_pictures(tmp_path / "pictures")
    return tmp_path / "pictures"


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    return tmp_path / "data/raw"


def test_pictures_become_arrays(tmp_path: Path, raw: Path) -> None:
    folder = tmp_path / "pictures"
    written = write_pictures(folder)
    # Neither of them is a picture, and neither is looked at.
    (folder / "train/dog/.DS_Store").write_bytes(b"x")
    (folder / "train/dog/Thumbs.db").write_bytes(b"x")
    (folder / "notes.txt").write_text("x")
    assert installed(folder, raw) == {"train": 24, "test": 12}
    check_manifest(raw, list(read_manifest(raw, "download")), "download")
    assert load_class_names(raw, "download") == NAMES
    files = load_files(raw, "download")
    for part, number in (("train", 24), ("test", 12)):
        images, labels = arrays(raw, part)
        assert np.bincount(labels).tolist() == [number // 3] * 3
        of_part = files[files["part"] == part]
        assert labels.tolist() == of_part["label"].tolist()
        for image, label, file in zip(images, labels, of_part["file"], strict=True):
            np.testing.assert_array_equal(image, written[file])
            assert Path(file).parent.name == NAMES[label]
    # Any first few are of all classes: whitening looks at the first ones.
    assert set(arrays(raw, "train")[1][:12]) == {0, 1, 2}
    described = load_image_set(raw, "download")
    assert (described.image_size, described.fit, described.modes) == (32, "crop", {"RGB": 36})


def test_the_same_files_give_the_same_bytes(pictures: Path, tmp_path: Path) -> None:
    contents = []
    for name in ("one", "other"):
        installed(pictures, tmp_path / name)
        contents.append({path.name: path.read_bytes() for path in (tmp_path / name).iterdir()})
    assert contents[0] == contents[1]


def test_the_digest_is_of_what_sha256sum_prints(pictures: Path, raw: Path) -> None:
    names = sorted(path for part in ("train", "test") for path in (pictures / part).rglob("*.png"))
    lines = [
        f"{hashlib.sha256(name.read_bytes()).hexdigest()}  {name.relative_to(pictures)}\n"
        for name in names
    ]
    by_hand = hashlib.sha256("".join(lines).encode()).hexdigest()
    assert sum(install_pictures(pictures, raw, download_params(pictures=by_hand)).values()) == 36


def test_another_picture_is_another_digest(pictures: Path, tmp_path: Path, raw: Path) -> None:
    installed(pictures, tmp_path / "before")
    before = load_image_set(tmp_path / "before", "download").pictures
    assert before
    Image.new("RGB", (32, 32)).save(pictures / "test/dog/0.png")
    with pytest.raises(PipelineError, match=before):
        install_pictures(pictures, raw, download_params(pictures=before))
    assert not list(raw.iterdir())


@pytest.mark.parametrize("size", [32, 48, 128])
def test_pictures_of_any_kind_become_images_of_one_size(
    size: int, pictures: Path, raw: Path
) -> None:
    Image.new("L", (300, 200), 77).save(pictures / "train/dog/grey.png")
    Image.new("RGB", (640, 480), (1, 2, 3)).save(pictures / "train/dog/9.jpg")
    assert installed(pictures, raw, image_size=size)["train"] == 26
    images, _ = arrays(raw, "train")
    assert images.shape == (26, size, size, 3)
    files = load_files(raw, "download")
    grey = files["file"].tolist().index("train/dog/grey.png")
    assert (images[grey] == 77).all()
    assert files.loc[grey, ["width", "height", "mode"]].tolist() == [300, 200, "L"]


def test_all_faults_are_named_at_once(pictures: Path, raw: Path) -> None:
    faults = [pictures / "train/dog" / f"broken {at}.png" for at in range(11)]
    for path in faults:
        path.write_bytes(b"GIF")
    (pictures / "test/dog/empty.png").touch()
    with pytest.raises(PipelineError, match="12 of 48 files cannot be used") as caught:
        install_pictures(pictures, raw, download_params())
    _, *lines = str(caught.value).splitlines()
    assert len(lines) == 11
    assert "empty.png: the file is empty" in lines[0]
    assert lines[-1] == "  ... and 2 more"
    with (raw.parent / "image_faults.csv").open() as file:
        listed = [row["file"] for row in csv.DictReader(file)]
    assert len(listed) == 12
    # Left out, they are only counted.
    assert installed(pictures, raw, broken_images="leave_out") == {"train": 24, "test": 12}
    assert load_image_set(raw, "download").left_out == 12
    assert len(arrays(raw, "train")[0]) == 24
    # A part that would have no image of a class is refused.
    for path in (pictures / "test/dog").iterdir():
        path.write_bytes(b"no picture")
    with pytest.raises(PipelineError, match="no file of class dog can be used in the part test"):
        install_pictures(pictures, raw, download_params(broken_images="leave_out"))


def test_the_same_picture_has_the_same_group(pictures: Path, raw: Path) -> None:
    pixels = noise(40, 40)
    Image.fromarray(pixels).save(pictures / "train/dog/same.png")
    Image.fromarray(pixels).save(pictures / "test/a cat/same.bmp")  # the same pixels
    one_off = pixels.copy()
    one_off[0, 0] ^= 1
    Image.fromarray(one_off).save(pictures / "train/dog/near.png")
    installed(pictures, raw)
    files = load_files(raw, "download")
    groups = dict(zip(files["file"], files["group"], strict=True))
    assert groups["train/dog/same.png"] == groups["test/a cat/same.bmp"]
    assert len(set(groups.values())) == len(groups) - 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda folder: (folder / "train/horse").mkdir(), "horse in train/ alone"),
        (
            lambda folder: [path.unlink() for path in (folder / "test/dog").iterdir()],
            "test/dog holds no images",
        ),
        (
            lambda folder: [
                (folder / part / "dog").rename(folder / part / "a\nb") for part in ("train", "test")
            ],
            "cannot be the name of a class",
        ),
    ],
)
def test_what_cannot_be_used_is_one_line(pictures: Path, raw: Path, change, message) -> None:
    change(pictures)
    with pytest.raises(PipelineError, match=message) as caught:
        install_pictures(pictures, raw, download_params())
    assert "\n" not in str(caught.value)
    assert not raw.exists()


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
            r"train/dog: cannot be read \(Permission denied\)",
        ),
        (
            lambda folder: (folder / "train/dog/0.png").chmod(0),
            r"dog/0\.png: cannot be read \(Permission denied\)",
        ),
    ],
)
def test_what_cannot_be_read_is_named(pictures: Path, tmp_path: Path, change, message) -> None:
    change(pictures)
    with as_nobody(tmp_path):
        try:
            contents = read_contents(open_folder(Path(pictures.name)), Decoding())
            (said,) = [f"{path}: {why}" for path, why in contents.faults.items()]
        except PipelineError as error:
            said = str(error)
            assert said.startswith("download.source: ")
    assert re.search(message, said)


def test_a_name_that_is_no_text(pictures: Path, raw: Path) -> None:
    name = pictures / "train/dog" / os.fsdecode(b"latin-\xe9.png")
    Image.new("RGB", (32, 32)).save(str(name), "PNG")
    assert installed(pictures, raw)["train"] == 25
    assert r"train/dog/latin-\udce9.png" in load_files(raw, "download")["file"].tolist()


def test_linked_pictures_and_classes_count(pictures: Path, tmp_path: Path, raw: Path) -> None:
    (pictures / "train/dog").rename(tmp_path / "dogs")
    (pictures / "train/dog").symlink_to(tmp_path / "dogs")
    (pictures / "train/a cat/x.png").symlink_to(tmp_path / "dogs/0.png")
    assert installed(pictures, raw) == {"train": 25, "test": 12}


def test_class_folders_alone_are_training_images(tmp_path: Path, raw: Path) -> None:
    write_pictures(tmp_path)
    assert installed(tmp_path / "train", raw) == {"train": 24}
    assert not (raw / "test_images.npy").exists()
    assert json.loads((raw / "image_set.json").read_text())["layout"] == "class folders alone"


def test_without_the_folder_one_line_says_so(raw: Path, tmp_path: Path) -> None:
    params = download_params(pictures="0" * 64, source=str(tmp_path / "moved"))
    with pytest.raises(PipelineError, match=r"moved is not there, .* bring the folder back"):
        download(raw, params)
    with pytest.raises(PipelineError, match=r"source is empty"):
        download(raw, download_params(pictures="0" * 64))


def test_cifar_10_has_one_size(raw: Path, choose) -> None:
    params: DownloadParams = choose(source=None).model_copy(update={"image_size": 64})
    with pytest.raises(PipelineError, match="CIFAR-10's images have 32 pixels a side, got 64"):
        download(raw, params)
