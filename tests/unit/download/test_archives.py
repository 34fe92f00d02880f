"""The layouts, and what is no layout."""

import io
import json
import pickletools

import numpy as np
import pytest
from PIL import Image

from archive_makers import (
    make_tar,
    npm_archive,
    npm_members,
    official_archive,
    pickle_of,
    python_archive,
)
from cifar_pipeline.download.archives import batches_in_archive
from cifar_pipeline.download.errors import ArchiveError
from cifar_pipeline.download.pickle_reader import batch_from_pickle


@pytest.fixture
def read(tmp_path):
    def read(content):
        path = tmp_path / "archive"
        path.write_bytes(content)
        return dict(batches_in_archive(path))

    return read


@pytest.mark.parametrize("make", [official_archive, npm_archive, python_archive])
def test_every_layout_gives_the_official_files(make, batches, read):
    assert read(make(batches)) == batches


def test_uncompressed_and_dotted_names(batches, read):
    members = {f"./cifar-10-batches-bin/{name}": content for name, content in batches.items()}
    assert read(make_tar(members, "w")) == batches


def test_a_pickle_is_never_executed(batches, read, tmp_path):
    mark = tmp_path / "executed"
    command = f"touch {mark}".encode()
    hostile = b"cos\nsystem\n(U" + bytes([len(command)]) + command + b"tR0"
    assert read(python_archive(batches, before=hostile)) == batches
    assert not mark.exists()


def test_hand_written_pickle_is_a_whole_one(batches):
    pickletools.dis(pickle_of(batches["test_batch.bin"]), out=io.StringIO())


def test_labels_in_blocks_of_a_thousand():
    records = np.random.default_rng(0).integers(0, 10, (2003, 3073), np.uint8).tobytes()
    assert batch_from_pickle(pickle_of(records)) == records


@pytest.mark.parametrize("content", [b"", b"\x80\x02}.", b"\x80\x02T\xff\xff\xff\x7fabc", b"zzzz"])
def test_bad_pickle(content):
    with pytest.raises(ArchiveError):
        batch_from_pickle(content)


def test_pickle_with_a_label_too_high(batches):
    content = bytearray(batches["test_batch.bin"])
    content[0] = 10
    with pytest.raises(ArchiveError, match="label that is not 0 to 9"):
        batch_from_pickle(pickle_of(bytes(content)))


def test_truncated_archive(archive, read):
    with pytest.raises(ArchiveError, match="no whole tar archive"):
        read(archive[: len(archive) // 2])


def test_unreadable_archive(tmp_path):
    with pytest.raises(ArchiveError, match="cannot be read"):
        list(batches_in_archive(tmp_path / "nowhere"))


def test_other_archive(read):
    with pytest.raises(ArchiveError, match="has 0 of the members of CIFAR-10"):
        read(make_tar({"../evil": b"x", "cifar-10-batches-bin": b"x"}))


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("package/test_batch.png", b"no picture", "no readable PNG"),
        ("package/test_lables.json", b"[1, 2", "no readable JSON"),
        ("package/test_lables.json", b'{"a": 1}', "a list of labels from 0 to 9"),
        ("package/test_lables.json", json.dumps([10] * 10).encode(), "a list of labels"),
        ("package/test_lables.json", b"[1, 2]", "2 labels for 10 or more images"),
        ("package/train_lables.json", json.dumps([1] * 60).encode(), "60 labels for 50"),
    ],
)
def test_bad_package(name, content, reason, batches, read):
    with pytest.raises(ArchiveError, match=reason):
        read(make_tar(npm_members(batches) | {name: content}))


def test_picture_of_another_shape(batches, read):
    members = npm_members(batches)
    members["package/test_batch.png"] = _picture(32, 32)
    with pytest.raises(ArchiveError, match="RGB picture 32 pixels wide, RGB and 1024 expected"):
        read(make_tar(members))


def _picture(width, height):
    file = io.BytesIO()
    Image.new("RGB", (width, height)).save(file, "PNG")
    return file.getvalue()
