"""A folder is adopted, and changes."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from adopting import PARAMS, SHORT, adopted
from cifar_pipeline.adopt.params_file import changed, write_text
from cifar_pipeline.adopt.way_back import return_to_cifar10
from cifar_pipeline.check_params import check_params
from cifar_pipeline.common.errors import ParamsError, PipelineError
from cifar_pipeline.download.stage import download
from cifar_pipeline.params.download import DownloadParams
from cifar_pipeline.params.loading import load_section
from picture_folders import write_pictures


def test_the_next_step_is_the_pipeline(pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content = adopted(pictures)
    assert content["download"]["source"] == "pictures"
    assert len(content["download"]["sha256"]) == 7
    assert content["download"]["image_size"] == 32
    assert content["preprocess"]["validation_images"] == 0.1
    assert content["preprocess"]["test_images"] == 0.2  # as it was: the folder has a test part
    assert content["train"] == {"model": "fast", "flip": "preset", "seed": 1}
    printed = capsys.readouterr().out
    assert "train, test with class folders, 3 classes, 72 pictures" in printed
    assert "\nThe next step: `make repro`.\n" in printed
    check_params(PARAMS)
    # Once more: not a byte, not even the same ones anew.
    before = PARAMS.stat().st_ino
    adopted(pictures)
    assert "nothing has changed, and nothing was written" in capsys.readouterr().out
    assert PARAMS.stat().st_ino == before


def test_what_dvc_tracks_is_added_to_a_file_of_before(pictures: Path) -> None:
    lines = SHORT.decode().splitlines(keepends=True)
    gone = ("image_size", "fit", "broken_images", "flip", "test_images", "repeated_images")
    before = "".join(line for line in lines if not line.startswith(tuple(f"  {x}:" for x in gone)))
    PARAMS.write_text(before)
    adopted(pictures)
    check_params(PARAMS)
    return_to_cifar10(PARAMS)
    assert PARAMS.read_text() == before


def test_a_folder_may_have_any_name(project: Path) -> None:
    folder = project / "pictures"
    write_pictures(folder, train=2, test=1)
    for name in ("~", "~root", "null", "a: b #c"):
        folder = folder.rename(project / name)
        adopted(Path(name))
        check_params(PARAMS)
        download(Path("data/raw"), load_section(PARAMS, DownloadParams, "download"))


def test_home_is_understood_where_no_shell_has_expanded_it(
    pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(pictures.absolute().parent))
    assert adopted(Path("~/pictures"))["download"]["source"] == "pictures"


def test_a_changed_folder_changes_the_digest_alone(
    pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    adopted(pictures, image_size=64)
    write_text(PARAMS, changed(PARAMS, {"train.model": "best"}).text)
    before = PARAMS.read_text().splitlines()
    (pictures / "train/dog/0.png").unlink()
    (pictures / "train/dog/1.png").rename(pictures / "train/dog/new.png")
    shutil.copy(pictures / "test/dog/0.png", pictures / "test/dog/1.png")
    for part in ("train", "test"):
        shutil.copytree(pictures / part / "dog", pictures / part / "wolf")
    capsys.readouterr()
    adopted(pictures)
    printed = capsys.readouterr().out
    assert "  class dog: 24 -> 23 files\n  class wolf: 0 -> 23 files (new)\n" in printed
    assert "  23 added: test/wolf/0.png, test/wolf/1.png, " in printed
    assert "  1 removed: train/dog/0.png\n" in printed
    assert "  1 renamed: train/dog/1.png -> train/dog/new.png\n" in printed
    assert "  1 changed: test/dog/1.png\n" in printed
    after = PARAMS.read_text().splitlines()
    different = [new for old, new in zip(before, after, strict=True) if old != new]
    assert [line.split(":")[0] for line in different] == ["    pictures"]
    check_params(PARAMS)


def test_a_renamed_class_is_told(pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    adopted(pictures)
    for part in ("train", "test"):
        (pictures / part / "dog").rename(pictures / part / "wolf")
    capsys.readouterr()
    adopted(pictures)
    told = capsys.readouterr().out.split("since the last adoption:\n")[1].splitlines()
    assert told[0] == "  class dog: renamed to wolf"
    assert told[1].startswith("  24 renamed: test/dog/0.png -> test/wolf/0.png, test/dog/1.png -> ")
    assert not told[2].startswith(" ")


def test_on_another_machine_the_changes_are_told_by_what_dvc_has(
    pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    adopted(pictures)
    download(Path("data/raw"), load_section(PARAMS, DownloadParams, "download"))
    shutil.rmtree(tmp_path / "cache")
    (pictures / "train/dog/1.png").rename(pictures / "train/dog/new.png")
    capsys.readouterr()
    adopted(pictures)
    printed = capsys.readouterr().out
    assert "  1 added: train/dog/new.png\n  1 removed: train/dog/1.png\n" in printed
    assert "changed:" not in printed


def test_a_part_that_is_given_no_more_gets_its_share(pictures: Path) -> None:
    shutil.copytree(pictures / "test", pictures / "val")
    before = adopted(pictures)["preprocess"]
    assert before["validation_images"] == 5000  # which nothing reads: the part is given
    shutil.rmtree(pictures / "val")
    assert adopted(pictures)["preprocess"] == {**before, "validation_images": 0.1}
    shutil.rmtree(pictures / "test")
    assert adopted(pictures, test_images=0.3)["preprocess"]["test_images"] == 0.3


def test_a_moved_folder_is_the_same(pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    adopted(pictures)
    write_text(PARAMS, changed(PARAMS, {"train.model": "best"}).text)
    before = PARAMS.read_text()
    pictures.rename("moved")
    adopted(Path("moved"))
    assert PARAMS.read_text() == before.replace("source: pictures", "source: moved")
    assert "others than" not in capsys.readouterr().out


def test_broken_files_stop_the_pipeline_or_are_left_out(
    pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for at in range(12):
        (pictures / f"train/dog/x{at:02}.png").write_bytes(b"GIF89a")
    adopted(pictures)
    printed = capsys.readouterr().out
    assert "broken     12 files cannot be used (all of them: data/image_faults.csv):\n" in printed
    assert "           train/dog/x09.png: no picture" in printed
    assert "           ... and 2 more\n" in printed
    assert "`make repro` will stop at the broken files" in printed
    assert len(Path("data/image_faults.csv").read_text().splitlines()) == 13
    content = adopted(pictures, broken_images="leave_out")
    assert content["download"]["broken_images"] == "leave_out"
    assert "will stop" not in capsys.readouterr().out
    for path in (pictures / "train/dog").glob("x*"):
        path.unlink()
    adopted(pictures)
    assert not Path("data/image_faults.csv").exists()


def test_a_folder_elsewhere_is_absolute_and_links_stay(project: Path, tmp_path: Path) -> None:
    write_pictures(tmp_path / "elsewhere")
    content = adopted(Path("../elsewhere"), validation_images=3)
    assert content["download"]["source"] == str(tmp_path / "elsewhere")
    (project / "linked").symlink_to(tmp_path / "elsewhere")
    assert adopted(Path("linked"))["download"]["source"] == "linked"


def test_classes_that_are_mirror_images_are_not_flipped(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    random = np.random.default_rng(1)
    for at in range(120):
        image = random.integers(0, 60, (32, 32, 3)).astype(np.uint8)
        rows, columns = np.mgrid[:18, :18]
        wedge = np.abs(rows - 9) * 2 <= columns
        top, left = random.integers(0, 14, 2)
        image[top : top + 18, left : left + 18][wedge[:, :: 1 - at % 2 * 2]] += 150
        path = project / "pictures" / ("left", "right")[at % 2] / f"{at}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(path)
    assert adopted(Path("pictures"))["train"]["flip"] == "none"
    assert "left and right matter" in capsys.readouterr().out
    return_to_cifar10(PARAMS)
    assert PARAMS.read_bytes() == SHORT
    assert adopted(Path("pictures"), flip="keep")["train"]["flip"] == "preset"
    assert "left and right" not in capsys.readouterr().out.split("CIFAR-10 again")[1]


@pytest.mark.parametrize("options", [{"image_size": 16}, {"test_images": 0}, {"model": "fsat"}])
def test_an_option_that_cannot_be_is_refused_before_any_picture_is_read(
    project: Path, options: dict[str, Any]
) -> None:
    with pytest.raises(ParamsError):
        adopted(project / "there is no such folder", **options)


def test_pictures_of_one_colour_are_refused(project: Path) -> None:
    for name in "abcdef":
        path = project / "pictures" / name[0] / "x.png"
        path.parent.mkdir(parents=True)
        Image.new("RGB", (8, 8), (1, 2, 3)).save(path)
        shutil.copy(path, path.with_name("y.png"))
        shutil.copy(path, path.with_name("z.png"))
    with pytest.raises(PipelineError, match="one and the same colour"):
        adopted(project / "pictures")
    assert PARAMS.read_bytes() == SHORT


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"image_size": 16}, "download.image_size: input should be greater than or equal to 32"),
        ({"image_size": 256}, "download.image_size: input should be less than or equal to 128"),
        ({"model": "fsat"}, "no preset 'fsat' under models, did you mean 'fast'?"),
        ({"validation_images": 1.5}, "preprocess.validation_images: expected a number of images"),
        *(
            ({"test_images": wrong}, "preprocess.test_images: expected a number of images")
            for wrong in (0, 1.0, float("nan"), float("inf"))
        ),
        ({"validation_images": 2}, "preprocess.validation_images = 2 is impossible with 60 images"),
    ],
)
def test_an_option_that_cannot_be_is_one_line(
    pictures: Path, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ParamsError) as caught:
        adopted(pictures, **options)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert PARAMS.read_bytes() == SHORT


def broken_everywhere(folder: Path) -> None:
    for path in folder.glob("*/dog/*"):
        path.write_bytes(b"x")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (shutil.rmtree, "pictures does not exist; understood are train/CLASS/"),
        (lambda folder: shutil.rmtree(folder / "train"), "no train/"),
        (lambda folder: (folder / "test_batch.bin").touch(), "CIFAR-10's own files"),
        (broken_everywhere, "no file of class dog can be used in the part train"),
    ],
)
def test_a_folder_that_cannot_be_used_is_one_line(
    pictures: Path, change: Any, message: str
) -> None:
    change(pictures)
    with pytest.raises(PipelineError) as caught:
        adopted(pictures)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert PARAMS.read_bytes() == SHORT


def test_the_project_itself_is_no_folder_of_pictures(project: Path) -> None:
    with pytest.raises(PipelineError, match="holds this project itself"):
        adopted(project)


def test_params_that_are_wrong_are_refused_before_a_picture_is_read(pictures: Path) -> None:
    broken_everywhere(pictures)
    PARAMS.write_bytes(SHORT.replace(b"  seed: 1\n", b"  sede: 1\n"))
    for call in (lambda: adopted(pictures), lambda: return_to_cifar10(PARAMS)):
        with pytest.raises(ParamsError, match="did you mean 'seed'"):
            call()
