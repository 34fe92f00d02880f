"""A small CIFAR-10 in the official format: images that a network can tell apart, no download."""

import hashlib
from pathlib import Path

import numpy as np

from cifar_pipeline.common.checksums import write_manifest
from cifar_pipeline.dataset.binary_format import (
    BATCH_FILES,
    encode_batch,
)


def synthetic_split(number: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return uint8 images (N, 32, 32, 3) whose colours depend on their labels, uint8 (N,)."""
    random = np.random.default_rng(seed)
    labels = np.arange(number, dtype=np.uint8) % 10
    colours = np.random.default_rng(99).integers(30, 226, (10, 1, 1, 3))
    noise = random.integers(-25, 26, (number, 32, 32, 3))
    order = random.permutation(number)
    return (colours[labels] + noise).astype(np.uint8)[order], labels[order]


def write_batches(folder: Path, images_each: int = 60) -> dict[str, str]:
    """Write six batch files into `folder`; return their SHA-256 by file name."""
    folder.mkdir(parents=True, exist_ok=True)
    sums = {}
    for seed, name in enumerate(BATCH_FILES):
        content = encode_batch(*synthetic_split(images_each, seed))
        (folder / name).write_bytes(content)
        sums[name] = hashlib.sha256(content).hexdigest()
    return sums


def write_raw(folder: Path) -> None:
    """Write what the stage download leaves, smaller."""
    write_batches(folder, 20)
    write_manifest(folder)


def flip_last_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
