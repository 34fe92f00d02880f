"""The official binary format of CIFAR-10: six files of 10,000 records.

A record is 3,073 bytes: a label (0-9), then 1,024 red, 1,024 green and 1,024 blue bytes, each
channel row by row (https://www.cs.toronto.edu/~kriz/cifar.html).
"""

from pathlib import Path

import numpy as np

from cifar_pipeline.common.errors import PipelineError
from cifar_pipeline.common.system_errors import refusal
from cifar_pipeline.dataset.cifar10 import CLASS_NAMES, IMAGE_SHAPE

TRAIN_BATCHES = tuple(f"data_batch_{number}.bin" for number in range(1, 6))
TEST_BATCH = "test_batch.bin"
BATCH_FILES = (*TRAIN_BATCHES, TEST_BATCH)
BINARY_FOLDER = "cifar-10-batches-bin"  # in the official archive
RECORD_BYTES = 1 + 3 * 32 * 32


def decode_batch(content: bytes) -> tuple[np.ndarray, np.ndarray]:
    """Return images, uint8 (N, 32, 32, 3), and labels, uint8 (N,), of one batch file's bytes.

    Raises:
        ValueError: no whole number of records, or a label that is no class.
    """
    classes = len(CLASS_NAMES)
    if not content or len(content) % RECORD_BYTES:
        raise ValueError(f"{len(content)} bytes are no whole number of {RECORD_BYTES}-byte records")
    records = np.frombuffer(content, np.uint8).reshape(-1, RECORD_BYTES)
    labels = records[:, 0].copy()
    if labels.max() >= classes:
        raise ValueError(f"label {labels.max()} found, labels are 0 to {classes - 1}")
    height, width, channels = IMAGE_SHAPE
    images = records[:, 1:].reshape(-1, channels, height, width).transpose(0, 2, 3, 1)
    return np.ascontiguousarray(images), labels


def encode_batch(images: np.ndarray, labels: np.ndarray) -> bytes:
    """Return the batch file's bytes of uint8 images (N, 32, 32, 3) and labels (N,)."""
    channels_first = images.transpose(0, 3, 1, 2).reshape(len(images), -1)
    return np.concatenate([labels[:, None].astype(np.uint8), channels_first], axis=1).tobytes()


def read_batches(folder: Path, names: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Return images and labels of the batch files `names` in `folder`, one after the other.

    Raises:
        PipelineError: a file is missing or not in the format.
    """
    decoded = []
    for name in names:
        path = folder / name
        try:
            decoded.append(decode_batch(path.read_bytes()))
        except OSError as error:
            line = refusal(error, path, "read", otherwise="run `dvc repro download`")
            raise PipelineError(line) from None
        except ValueError as error:
            raise PipelineError(f"{path}: {error}; run `dvc repro --force download`") from None
    images, labels = zip(*decoded, strict=True)
    return np.concatenate(images), np.concatenate(labels)
