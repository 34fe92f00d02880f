"""The side of the images, which download makes and a preset has to fit."""

from typing import Any

from cifar_pipeline.common.errors import ParamsError
from cifar_pipeline.dataset.cifar10 import IMAGE_SHAPE

CIFAR_IMAGE_SIZE = IMAGE_SHAPE[0]
LARGEST_IMAGE_SIZE = 128


def image_size_of(content: dict[str, Any]) -> int:
    """Return download.image_size of a params.yaml as read; 32 where it has none, or none of use."""
    download = content.get("download")
    size = download.get("image_size") if isinstance(download, dict) else None
    return size if isinstance(size, int) else CIFAR_IMAGE_SIZE


def require_cifar_size(size: int) -> None:
    """Refuse another size than that of CIFAR-10's images, which are no picture files.

    Raises:
        ParamsError: in one line.
    """
    if size != CIFAR_IMAGE_SIZE:
        raise ParamsError(
            f"download.image_size: CIFAR-10's images have {CIFAR_IMAGE_SIZE} pixels a side, got "
            f"{size}; set it to {CIFAR_IMAGE_SIZE}, or name a folder of your own pictures as "
            "download.source"
        )
