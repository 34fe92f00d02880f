"""The side of the images, which download makes and a preset has to fit."""

from typing import Any

from cifar_pipeline.dataset.cifar10 import IMAGE_SHAPE

CIFAR_IMAGE_SIZE = IMAGE_SHAPE[0]
LARGEST_IMAGE_SIZE = 128


def image_size_of(content: dict[str, Any]) -> int:
    """Return download.image_size of a params.yaml as read; 32 where it has none, or none of use."""
    download = content.get("download")
    size = download.get("image_size") if isinstance(download, dict) else None
    return size if isinstance(size, int) else CIFAR_IMAGE_SIZE
