"""params.yaml is changed in its values alone."""

from pathlib import Path

import pytest
from dvc.utils.serialize import modify_yaml

from cifar_pipeline.adopt.choices import CIFAR10
from cifar_pipeline.adopt.params_file import MISSING, PICTURES, changed, value_of, write_text
from cifar_pipeline.common.errors import ParamsError, PipelineError
from cifar_pipeline.params.loading import read_yaml
from closure import ROOT

ADOPTED = {
    "download.source": "my pictures/of #1",
    PICTURES: "0123456789" * 6 + "0123",
    "download.image_size": 128,
    "download.fit": "stretch",
    "download.broken_images": "leave_out",
    "preprocess.validation_images": 0.1,
    "preprocess.test_images": 0.25,
    "train.model": "accurate",
    "train.flip": "none",
}


def test_only_these_lines_change_and_all_of_them_change_back(project: Path) -> None:
    path = project / "params.yaml"
    before = (ROOT / "params.yaml").read_text()
    path.write_text(before)
    text = changed(path, ADOPTED).text
    lines = [line for line in text.splitlines() if line not in before.splitlines()]
    assert [line.split(":")[0].strip() for line in lines] == [
        key.split(".")[-1] for key in ("source", "image_size", "fit", "broken_images", "pictures")
    ] + [key.split(".")[-1] for key in list(ADOPTED)[5:]]
    kept = [line for line in before.splitlines() if line not in text.splitlines()]
    assert len(kept) == len(ADOPTED) - 1  # all but pictures, a new line
    comments = [line.split("#")[1] for line in kept if "#" in line]
    assert all(comment in text for comment in comments)
    path.write_text(text)
    content = read_yaml(path)
    assert {key: value_of(content, key) for key in ADOPTED} == ADOPTED
    assert changed(path, CIFAR10).text == before


def test_a_missing_key_comes_before_what_follows_its_section(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_text("train:\n  model: fast\n  seed: 1\n\n# Networks.\nmodels:\n")
    before = path.read_text()
    text = changed(path, {"train.flip": "none"}).text
    assert text == before.replace("  seed", "  flip: none\n  seed")
    path.write_text(text)
    assert changed(path, {"train.flip": MISSING}).text == before


def test_what_is_no_file_of_params_is_one_line(project: Path) -> None:
    (project / "params.yaml").write_text("a: [")
    with pytest.raises(ParamsError, match="is not valid YAML") as caught:
        changed(project / "params.yaml", {})
    assert "\n" not in str(caught.value)


def test_equal_text_is_not_written(project: Path) -> None:
    path = project / "params.yaml"
    inode = path.stat().st_ino
    assert not write_text(path, path.read_text())
    assert path.stat().st_ino == inode
    assert write_text(path, "a: 1\n")
    assert path.read_text() == "a: 1\n"
    assert [each.name for each in project.iterdir()] == ["params.yaml"]


def test_a_link_stays_a_link(project: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.yaml"
    link.symlink_to(project / "params.yaml")
    write_text(link, "a: 1\n")
    assert link.is_symlink()
    assert (project / "params.yaml").read_text() == "a: 1\n"


def test_a_name_that_is_no_text_is_refused(project: Path) -> None:
    with pytest.raises(PipelineError, match="no UTF-8"):
        write_text(project / "params.yaml", "source: \udcff\n")


@pytest.mark.parametrize(
    "source", ["a: b", "12", "null", "it's", '"', "x" * 120 + " y", "\u00e9 #1"]
)
@pytest.mark.parametrize("newline", [b"\n", b"\r\n"])
def test_any_name_of_a_folder_is_that_text(tmp_path: Path, source: str, newline: bytes) -> None:
    path = tmp_path / "params.yaml"
    before = newline.join([b"download:", b"  source:", b"  fit: crop  # or", b"", b"train:", b""])
    path.write_bytes(before)
    write_text(path, changed(path, {"download.source": source, "download.x": 0.5}).text)
    assert path.read_bytes().count(newline) == path.read_bytes().count(b"\n") == 6
    expected = {"source": source, "x": 0.5, "fit": "crop"}
    assert read_yaml(path) == {"download": expected, "train": None}
    write_text(path, changed(path, {"download.source": None, "download.x": MISSING}).text)
    assert path.read_bytes() == before


def test_a_file_in_another_layout_is_refused(project: Path) -> None:
    path = project / "params.yaml"
    path.write_text("download: {source: x, sha256: {test_batch.bin: y}}\n")
    with pytest.raises(ParamsError, match=r"by hand: download\.sha256\.pictures: 00") as caught:
        changed(path, {PICTURES: "00"})
    assert "\n" not in str(caught.value)


def test_dvc_leaves_the_written_file_as_it_is(project: Path) -> None:
    path = project / "params.yaml"
    write_text(path, changed(path, ADOPTED).text)
    before = path.read_text()
    with modify_yaml(str(path)):
        pass
    assert path.read_text() == before
