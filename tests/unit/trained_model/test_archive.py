"""What a model's archive holds beside the model, whole and damaged."""

import json
import zipfile
from pathlib import Path

import pytest

from cifar_pipeline.common.errors import PipelineError
from cifar_pipeline.trained_model.archive import read_entry, require_whole
from cifar_pipeline.trained_model.keras_file import class_names_of


def archive(path: Path, **entries: bytes | str) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for name, content in entries.items():
            target.writestr(f"{name}.json", content)
    return path


def test_the_first_name_that_is_there_counts(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.keras", b="2", c="3")
    assert read_entry(path, "a.json", "b.json", "c.json") == b"2"
    assert read_entry(path, "a.json") is None
    assert require_whole(path) == 2


def test_an_archive_that_unpacks_to_far_more_than_itself_is_not_unpacked(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.keras", a=bytes(70_000_000))
    assert path.stat().st_size < 100_000
    with pytest.raises(PipelineError, match="would unpack to 70,000,000 bytes"):
        require_whole(path)
    with pytest.raises(PipelineError, match="is said to have over"):
        read_entry(path, "a.json")


@pytest.mark.parametrize(
    "names", ["{}", '"cat"', "[1, 2]", "[null]", "[" * 2000, '["\\ud800"]', "", "\udcff"]
)
def test_damaged_class_names_are_one_line(names: str, tmp_path: Path) -> None:
    content = names.encode("utf-8", "surrogateescape")
    path = archive(tmp_path / "a.keras", class_names=content)
    with pytest.raises(PipelineError, match=r"cannot be loaded \(.*\); fetch or save it again"):
        class_names_of(path)


def test_class_names_are_in_their_order(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.keras", class_names=json.dumps(["dog", "Käfer"]))
    assert class_names_of(path) == ("dog", "Käfer")
