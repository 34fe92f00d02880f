"""A folder of pictures is compared with its digest before the pipeline runs."""

import os
import re
from pathlib import Path

import pytest
from PIL import Image

from cifar_pipeline.adopt import check_pictures as module
from cifar_pipeline.adopt.check_pictures import check_pictures, note_sums
from cifar_pipeline.common.errors import PipelineError
from cifar_pipeline.images.layout import find_images
from picture_folders import download_params, write_pictures


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Thirty-six pictures of yesterday."""
    monkeypatch.setenv("CIFAR_PIPELINE_CACHE", str(tmp_path / "cache"))
    written = write_pictures(tmp_path / "pictures")
    for name in written:
        os.utime(tmp_path / "pictures" / name, (1e9, 1e9))
    return tmp_path / "pictures"


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files whose bytes are read for the digest."""
    found: list[Path] = []
    sha256_of = module.sha256_of

    def noted(path: Path) -> str:
        found.append(path)
        return sha256_of(path)

    monkeypatch.setattr(module, "sha256_of", noted)
    return found


def digest_of(folder: Path, data: Path) -> str:
    with pytest.raises(PipelineError, match="not given") as caught:
        check_pictures(download_params(source=str(folder)), data)
    return re.findall(r"SHA-256 ([0-9a-f]{64})", str(caught.value))[0]


def test_files_are_read_once_and_again_when_they_change(
    folder: Path, tmp_path: Path, read: list[Path]
) -> None:
    params = download_params(digest_of(folder, tmp_path), str(folder))
    for _ in range(2):
        images = check_pictures(params, tmp_path)
        assert images
        assert len(images.files) == 36
    assert sorted(read) == sorted(file.path for file in images.files)
    read.clear()
    changed = folder / "train/dog/0.png"
    Image.new("RGB", (32, 32)).save(changed)
    for _ in range(2):  # changed a moment ago: it may change again within the clock's tick
        with pytest.raises(PipelineError, match=r"the pictures in .* have the SHA-256"):
            check_pictures(params, tmp_path)
    assert read == [changed, changed]


def test_what_adopt_has_read_is_not_read_again(
    folder: Path, tmp_path: Path, read: list[Path]
) -> None:
    digest = digest_of(folder, tmp_path)
    images = find_images(folder)
    sums = {file.path: module.sha256_of(file.path) for file in images.files}
    note_sums(images, sums, 2e9)
    read.clear()
    assert check_pictures(download_params(digest, str(folder)), tmp_path)
    assert not read


def test_faults_are_named_before_a_digest_is_asked_for(folder: Path, tmp_path: Path) -> None:
    (folder / "train/dog/x.png").write_bytes(b"no picture")
    with pytest.raises(PipelineError, match="1 of 37 files cannot be used"):
        check_pictures(download_params(source=str(folder)), tmp_path)
    assert (tmp_path / "image_faults.csv").exists()


def broken_in_every_way(folder: Path) -> dict[str, str]:
    """Make files that cannot be used; return the reason of each by name."""
    train = folder / "train/dog"
    (train / "empty.png").touch()
    (train / "link.png").symlink_to("nowhere")
    (train / "loop.png").symlink_to("loop.png")
    os.mkfifo(train / "pipe.png")
    (train / "text.png").write_text("no picture")
    return {
        "empty": "the file is empty",
        "link": "a link to a file that is not there",
        "loop": "symbolic links",
        "pipe": "a pipe, socket or device",
        "text": "no picture that can be read",
    }


def test_files_that_cannot_even_be_read_are_left_out_too(folder: Path, tmp_path: Path) -> None:
    faults = broken_in_every_way(folder)
    params = {"source": str(folder), "broken_images": "leave_out"}
    with pytest.raises(PipelineError, match="not given") as caught:
        check_pictures(download_params(**params), tmp_path)
    digest = re.findall(r"SHA-256 ([0-9a-f]{64})", str(caught.value))[0]
    for _ in range(2):  # the second time by what was noted
        assert check_pictures(download_params(digest, **params), tmp_path)
    (folder / "train/dog/link.png").unlink()
    with pytest.raises(PipelineError, match="have the SHA-256"):
        check_pictures(download_params(digest, **params), tmp_path)
    # Where they stop the pipeline, all of them are named at once.
    with pytest.raises(PipelineError, match="4 of 40 files cannot be used") as caught:
        check_pictures(download_params(digest, str(folder)), tmp_path)
    assert all(why in str(caught.value) for name, why in faults.items() if name != "link")


def test_a_folder_that_is_not_there_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gone = str(tmp_path / "gone")
    assert check_pictures(download_params("0" * 64, gone), tmp_path) is None
    assert "gone is not there; the pipeline goes on" in capsys.readouterr().out
    with pytest.raises(PipelineError, match="gone is not there"):
        check_pictures(download_params(source=gone), tmp_path)


@pytest.mark.parametrize("content", ["", "[1]", '{"a": 1}', "{"])
def test_damaged_notes_are_none(folder: Path, tmp_path: Path, content: str) -> None:
    params = download_params(digest_of(folder, tmp_path), str(folder))
    check_pictures(params, tmp_path)
    (notes,) = (tmp_path / "cache").glob("pictures-*.json")
    notes.write_text(content)
    assert check_pictures(params, tmp_path)
