"""From batch files to arrays."""

import json
from pathlib import Path

import pytest

from cifar_pipeline.common.checksums import check_manifest
from cifar_pipeline.common.errors import PipelineError
from cifar_pipeline.dataset.binary_format import (
    BATCH_FILES,
)
from cifar_pipeline.params.preprocess import PreprocessParams
from cifar_pipeline.preprocess.stage import preprocess
from synthetic import flip_last_bit, write_raw


def test_preprocess_writes_what_its_manifest_says(tmp_path: Path) -> None:
    write_raw(tmp_path / "raw")
    params = PreprocessParams(validation_images=20, seed=3)
    sizes = preprocess(tmp_path / "raw", tmp_path / "processed", params)
    assert sizes == {"train": 80, "validation": 20, "test": 20}
    manifest = json.loads((tmp_path / "processed/manifest.json").read_text())
    files = {path.name for path in (tmp_path / "processed").iterdir()}
    assert set(manifest) == files - {"manifest.json"}
    check_manifest(tmp_path / "processed", list(manifest), "preprocess")


def test_preprocess_gives_the_same_bytes_again(tmp_path: Path) -> None:
    write_raw(tmp_path / "raw")
    params = PreprocessParams(validation_images=20, seed=3)
    manifests = []
    for name in ("first", "second"):
        preprocess(tmp_path / "raw", tmp_path / name, params)
        manifests.append((tmp_path / name / "manifest.json").read_bytes())
    assert manifests[0] == manifests[1]


@pytest.mark.parametrize("name", BATCH_FILES)
def test_a_corrupt_batch_is_named_and_not_read(tmp_path: Path, name: str) -> None:
    write_raw(tmp_path / "raw")
    # Such a file still has the format of a batch.
    flip_last_bit(tmp_path / "raw" / name)
    with pytest.raises(PipelineError, match=rf"{name} is corrupt: .*`make verify`") as caught:
        preprocess(
            tmp_path / "raw", tmp_path / "processed", PreprocessParams(validation_images=20, seed=3)
        )
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "processed").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, r"manifest\.json is missing; run `dvc repro download`"),
        ("{", r"manifest\.json cannot be read \(.*\); `make verify`"),
        ("[]", r"manifest\.json cannot be read \(.*\); `make verify`"),
        ("\udcff", r"manifest\.json cannot be read \(.*\); `make verify`"),
        ("{}", r"test_batch\.bin is not in manifest\.json; `make verify`"),
    ],
)
def test_a_manifest_that_is_no_good(tmp_path: Path, content: str | None, message: str) -> None:
    write_raw(tmp_path)
    (tmp_path / "manifest.json").unlink()
    if content:
        (tmp_path / "manifest.json").write_text(content, errors="surrogateescape")
    with pytest.raises(PipelineError, match=message):
        check_manifest(tmp_path, ["test_batch.bin"], "download")
