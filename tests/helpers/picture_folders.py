"""Folders of synthetic pictures, as people have of their own."""

from pathlib import Path
from typing import get_args

import numpy as np
from PIL import Image

from cifar_pipeline.params.download import BatchFile, DownloadParams
from synthetic import synthetic_split

NAMES = ("a cat", "dog", "\u00e9l\u00e9phant")


def write_pictures(folder: Path, train: int = 8, test: int = 4) -> dict[str, np.ndarray]:
    """Write PNG files of three classes; return their pixels by relative name."""
    images, labels = synthetic_split(1000, seed=1)
    written = {}
    for part, number in (("train", train), ("test", test)):
        for label, name in enumerate(NAMES):
            kind = folder / part / name
            kind.mkdir(parents=True)
            chosen = images[labels == label]
            for at in range(number):
                pixels = chosen[at if part == "train" else -1 - at]
                Image.fromarray(pixels).save(kind / f"{at}.png")
                written[f"{part}/{name}/{at}.png"] = pixels
    return written


def download_params(
    pictures: str | None = None, source: str | None = None, **changes: object
) -> DownloadParams:
    """Return params of download for a folder of pictures with this digest, and `changes`."""
    official = dict.fromkeys(get_args(BatchFile), "0" * 64)
    return DownloadParams(
        source=source,
        sources={},
        minimum_kilobytes_per_second=0,
        slow_for_seconds=1,
        sha256=official | ({"pictures": pictures} if pictures else {}),
        **changes,
    )
