"""From batch files to arrays."""

import json
from pathlib import Path

import numpy as np
import pytest

from cifar_pipeline.common.checksums import check_manifest, write_manifest
from cifar_pipeline.common.errors import ParamsError, PipelineError
from cifar_pipeline.dataset.arrays import load_split
from cifar_pipeline.dataset.binary_format import (
    BATCH_FILES,
    decode_batch,
    encode_batch,
    read_batches,
)
from cifar_pipeline.dataset.channel_statistics import channel_statistics
from cifar_pipeline.params.preprocess import PreprocessParams
from cifar_pipeline.preprocess.hold_out import hold_out
from cifar_pipeline.preprocess.stage import preprocess
from synthetic import synthetic_split, write_batches


def test_a_record_is_a_label_and_three_channels() -> None:
    record = bytes([7]) + bytes([1] * 1024) + bytes([2] * 1024) + bytes([3] * 1024)
    images, labels = decode_batch(record)
    assert labels.tolist() == [7]
    assert images.shape == (1, 32, 32, 3)
    assert (images == [1, 2, 3]).all()


def test_rows_come_before_columns() -> None:
    channel = np.arange(1024, dtype=np.uint16).astype(np.uint8).tobytes()
    images, _ = decode_batch(b"\0" + channel * 3)
    assert images[0, 0, :3, 0].tolist() == [0, 1, 2]
    assert images[0, 1, 0, 0] == 32


def test_encoding_is_the_inverse_of_decoding() -> None:
    images, labels = synthetic_split(20, 3)
    decoded_images, decoded_labels = decode_batch(encode_batch(images, labels))
    assert np.array_equal(decoded_images, images)
    assert np.array_equal(decoded_labels, labels)


@pytest.mark.parametrize("content", [b"", b"\0" * 3072, b"\n" + b"\0" * 3072])
def test_bytes_in_no_such_format_are_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"records|labels are"):
        decode_batch(content)


def test_a_missing_batch_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match="dvc repro download"):
        read_batches(tmp_path, ("test_batch.bin",), 10)


def test_hold_out_is_stratified_seeded_and_complete() -> None:
    labels = np.random.default_rng(0).permutation(np.repeat(np.arange(10, dtype=np.uint8), 50))
    train, validation = hold_out(labels, 10, 100, seed=1)
    assert np.bincount(labels[validation]).tolist() == [10] * 10
    assert sorted([*train, *validation]) == list(range(500))
    again = hold_out(labels, 10, 100, seed=1)
    assert np.array_equal(again[1], validation)
    assert not np.array_equal(hold_out(labels, 10, 100, seed=2)[1], validation)


@pytest.mark.parametrize("size", [15, 500, 5000])
def test_an_impossible_hold_out_is_refused(size: int) -> None:
    with pytest.raises(ParamsError, match="validation_images"):
        hold_out(np.repeat(np.arange(10, dtype=np.uint8), 50), 10, size, seed=1)


def test_statistics_of_a_hand_worked_case() -> None:
    images = np.zeros((1, 2, 2, 3), np.uint8)
    images[..., 0] = [[0, 255], [0, 255]]
    images[..., 1] = 7
    images[0, 0, 0, 2] = 4
    statistics = channel_statistics(images)
    assert statistics.mean == (127.5, 7.0, 1.0)
    assert statistics.standard_deviation == pytest.approx((127.5, 0.0, 3**0.5))


def write_raw(folder: Path) -> None:
    """Write what the stage download leaves, smaller."""
    write_batches(folder, 20)
    write_manifest(folder)


def flip_last_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


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
        ("{", r"manifest\.json cannot be read; `make verify`"),
        ("[]", r"manifest\.json cannot be read; `make verify`"),
        ("\udcff", r"manifest\.json cannot be read; `make verify`"),
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


def test_a_missing_file_is_named_with_its_stage(tmp_path: Path) -> None:
    write_raw(tmp_path)
    (tmp_path / "test_batch.bin").unlink()
    with pytest.raises(
        PipelineError, match=r"test_batch\.bin is missing; run `dvc repro download`"
    ):
        check_manifest(tmp_path, ["test_batch.bin"], "download")


def test_a_corrupt_array_is_named_and_not_read(tmp_path: Path) -> None:
    write_raw(tmp_path / "raw")
    preprocess(
        tmp_path / "raw", tmp_path / "processed", PreprocessParams(validation_images=20, seed=3)
    )
    flip_last_bit(tmp_path / "processed/train_images.npy")
    with pytest.raises(PipelineError, match=r"train_images\.npy is corrupt"):
        load_split(tmp_path / "processed", "train")
    load_split(tmp_path / "processed", "validation")
