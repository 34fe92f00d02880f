"""Folders of synthetic pictures, as people have of their own."""

from pathlib import Path

import numpy as np
from PIL import Image

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
