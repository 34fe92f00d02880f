"""A folder of pictures of one's own as the source of the pipeline."""

import hashlib
import json
import os
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from cifar_pipeline.common.checksums import check_manifest, read_manifest
from cifar_pipeline.common.errors import PipelineError
from cifar_pipeline.dataset.binary_format import read_batches, read_class_names
from cifar_pipeline.download.own_pictures import install_pictures, is_picture_folder
from pictures import as_nobody
from synthetic import synthetic_split
from workspace import Workspace

NAMES = ("a cat", "dog", "\u00e9l\u00e9phant")


def write_pictures(folder: Path, train: int = 8, test: int = 4) -> dict[str, np.ndarray]:
    """Write PNG files of three classes; return their pixels by relative name."""
    images, labels = synthetic_split(1000, seed=1)
    written = {}
    for part, number in (("train", train), ("test", test)):
        for label, name in enumerate(NAMES):
            kind = folder / part / name
            kind.mkdir(parents=True)
            chosen = images[labels == label]
            for at in range(number):
                pixels = chosen[at if part == "train" else -1 - at]
                Image.fromarray(pixels).save(kind / f"{at}.png")
                written[f"{part}/{name}/{at}.png"] = pixels
    return written


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


def test_the_pipeline_trains_on_them(workspace: Workspace) -> None:
    folder = workspace.folder.parent / "pictures"
    write_pictures(folder, train=60, test=20)
    workspace.set_params({"download.source": str(folder), "preprocess.validation_images": 30})
    check = ("env", "PYTHONPATH=src", "python", "-m", "cifar_pipeline.check_params")
    digest = re.findall(r"SHA-256 ([0-9a-f]{64})", workspace.run(*check, expect=1))[0]
    workspace.set_params({"download.sha256": {"pictures": digest}})
    workspace.run(*check)
    workspace.run("dvc", "repro")
    errors = pd.read_csv(workspace.folder / "reports/per_class_errors.csv")
    assert tuple(errors["class"]) == NAMES
    assert errors["support"].tolist() == [20] * 3
    predictions = pd.read_csv(workspace.folder / "reports/predictions.csv")
    assert [f"p_{name}" for name in NAMES] == list(predictions.columns[-3:])
    metrics = json.loads(workspace.read("reports/test_metrics.json"))
    assert tuple(metrics["error_by_class"]) == NAMES
    page = workspace.read("reports/index.html").decode()
    assert all(name in page for name in NAMES)
    assert "CIFAR-10" not in workspace.read("models/model_card.md").decode()
    command = "PYTHONPATH=src python -m cifar_pipeline"
    picture = folder / "test/dog/0.png"
    workspace.run("sh", "-c", f"{command} predict --json '{picture}' > found.json")
    (found,) = json.loads(workspace.read("found.json"))
    assert {entry["class"] for entry in found["classes"]} == set(NAMES)
    workspace.run("sh", "-c", f"{command} export saved_model")
    exported = workspace.read("exports/saved_model/assets/classes.txt").decode()
    assert tuple(exported.splitlines()) == NAMES
    # Other pictures: `make repro` notices before DVC says that nothing has changed.
    (folder / "train/dog/0.png").unlink()
    assert "download.sha256.pictures" in workspace.run(*check, expect=1)
