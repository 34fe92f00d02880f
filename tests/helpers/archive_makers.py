"""Small CIFAR-10 look-alikes in every layout that the stage reads."""

import hashlib
import io
import json
import struct
import tarfile

import numpy as np
from PIL import Image

from cifar_pipeline.dataset.binary_format import (
    BATCH_FILES,
    TEST_BATCH,
    TRAIN_BATCHES,
    decode_batch,
)

RECORDS = 10


def make_batches(seed=0):
    """Return random batches of RECORDS records in the official format, by file name."""
    generator = np.random.default_rng(seed)
    batches = {}
    for name in BATCH_FILES:
        labels = generator.integers(0, 10, (RECORDS, 1), np.uint8)
        pixels = generator.integers(0, 256, (RECORDS, 3072), np.uint8)
        batches[name] = np.concatenate([labels, pixels], axis=1).tobytes()
    return batches


def hashes_of(batches):
    return {name: hashlib.sha256(content).hexdigest() for name, content in batches.items()}


def make_tar(members, mode="w:gz"):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=mode) as archive:
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return file.getvalue()


def official_archive(batches, mode="w:gz"):
    return make_tar(
        {f"cifar-10-batches-bin/{name}": content for name, content in batches.items()}, mode
    )


def npm_members(batches):
    members = {}
    labels = {}
    for name, content in batches.items():
        images, labels[name] = decode_batch(content)
        file = io.BytesIO()
        Image.fromarray(images.reshape(len(images), 1024, 3)).save(file, "PNG")
        members[f"package/{name.replace('.bin', '.png')}"] = file.getvalue()
    train = np.concatenate([labels[name] for name in TRAIN_BATCHES])
    members["package/train_lables.json"] = json.dumps(train.tolist()).encode()
    members["package/test_lables.json"] = json.dumps(labels[TEST_BATCH].tolist()).encode()
    members["package/index.bundle.js"] = b"throw new Error('must not run')"
    return members


def npm_archive(batches):
    return make_tar(npm_members(batches))


def pickle_of(content, before=b""):
    """Write a batch as Python 2's cPickle did, instruction by instruction (protocol 2)."""
    records = np.frombuffer(content, np.uint8).reshape(-1, 3073)
    labels = records[:, 0].tolist()
    data = records[:, 1:].tobytes()
    count = len(labels)

    def text(value, memo):
        return b"U" + bytes([len(value)]) + value + b"q" + bytes([memo])

    def items(parts):  # cPickle appends to a list in blocks of 1,000.
        blocks = (parts[start : start + 1000] for start in range(0, len(parts), 1000))
        return b"".join(b"(" + b"".join(block) + b"e" for block in blocks)

    return b"".join(
        [
            b"\x80\x02" + before + b"}q\x01(",
            text(b"batch_label", 2) + text(b"training batch 1 of 5", 3),
            text(b"labels", 4) + b"]q\x05" + items([b"K" + bytes([label]) for label in labels]),
            text(b"data", 6) + b"cnumpy.core.multiarray\n_reconstruct\nq\x07cnumpy\nndarray\nq\x08",
            b"K\x00\x85U\x01bq\x09\x87Rq\x0a(K\x01J" + struct.pack("<i", count) + b"M\x00\x0c\x86",
            b"cnumpy\ndtype\nq\x0bU\x02u1K\x00K\x01\x87Rq\x0c(K\x03U\x01|NNNJ\xff\xff\xff\xff",
            b"J\xff\xff\xff\xffK\x00tb\x89T" + struct.pack("<I", len(data)) + data + b"tb",
            text(b"filenames", 13) + b"]q\x0e" + items([b"U\x05a.png"] * count) + b"u.",
        ]
    )


def python_archive(batches, before=b""):
    return make_tar(
        {
            f"cifar-10-batches-py/{name.removesuffix('.bin')}": pickle_of(content, before)
            for name, content in batches.items()
        }
    )
