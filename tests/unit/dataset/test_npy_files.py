"""The bytes of .npy files are NumPy's own, and a full disk is an error."""

import io
from pathlib import Path

import numpy as np
import pytest

from cifar_pipeline.dataset import npy_files
from cifar_pipeline.dataset.npy_files import (
    open_for_reading,
    parts_of,
    write_array,
    write_rows,
    writing_rows,
)

ARRAYS = {
    "images": np.arange(5 * 4 * 4 * 3, dtype=np.uint8).reshape(5, 4, 4, 3),
    "labels": np.arange(70_000, dtype=np.uint64).astype(np.uint8),
    "no labels": np.zeros(0, np.uint8),
    "other order": np.asfortranarray(np.arange(12, dtype=np.uint8).reshape(4, 3)),
}


def saved(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, np.ascontiguousarray(array))
    return file.getvalue()


@pytest.mark.parametrize("name", ARRAYS)
def test_the_bytes_are_those_of_numpy(name: str, tmp_path: Path) -> None:
    write_array(tmp_path / "a.npy", ARRAYS[name])
    assert (tmp_path / "a.npy").read_bytes() == saved(ARRAYS[name])
    np.testing.assert_array_equal(open_for_reading(tmp_path / "a.npy"), ARRAYS[name])


def test_rows_may_come_one_by_one(tmp_path: Path) -> None:
    images = ARRAYS["images"]
    with writing_rows(tmp_path / "a.npy", images.shape[1:]) as append:
        for at in range(len(images)):
            append(images[at : at + 1])
    assert (tmp_path / "a.npy").read_bytes() == saved(images)


def test_chosen_rows_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(npy_files, "PART_BYTES", 100)  # two images
    images = ARRAYS["images"]
    indices = np.array([4, 0, 3, 3, 1, 2, 0])
    assert list(parts_of(images, len(indices))) == [slice(at, at + 2) for at in (0, 2, 4, 6)]
    write_rows(tmp_path / "a.npy", images, indices)
    assert (tmp_path / "a.npy").read_bytes() == saved(images[indices])


def test_other_numbers_than_bytes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="uint8"):
        write_array(tmp_path / "a.npy", np.array([300]))


@pytest.mark.parametrize("number", [1, 10_000])
def test_a_full_disk_is_an_error(number: int) -> None:
    # np.save would fail with the larger array alone.
    with pytest.raises(OSError, match="No space left"):
        write_array(Path("/dev/full"), np.zeros(number, np.uint8))
