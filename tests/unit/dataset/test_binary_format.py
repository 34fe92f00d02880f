"""Records of CIFAR-10's binary files."""

from pathlib import Path

import numpy as np
import pytest

from cifar_pipeline.common.errors import PipelineError
from cifar_pipeline.dataset.binary_format import (
    decode_batch,
    encode_batch,
    read_batches,
)
from synthetic import synthetic_split


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
        read_batches(tmp_path, ("test_batch.bin",))


def test_a_label_that_is_no_class_is_named_with_those_that_are() -> None:
    images, labels = synthetic_split(20, 3)
    decode_batch(encode_batch(images, np.full_like(labels, 9)))
    with pytest.raises(ValueError, match=r"^label 10 found, labels are 0 to 9$"):
        decode_batch(encode_batch(images, np.full_like(labels, 10)))
