"""Mean recall of the same pictures at 32 and at 64 pixels, where details tell the classes apart.

    cd $(mktemp -d) && npm pack PACKAGE...    # the eight of PACKAGES, 29 MB
    python benchmarks/image_size.py FOLDER --seeds 3

The pictures are pieces of printed pages, 64 x 64 pixels with letters whose x is 4 to 6 pixels high,
in eight typefaces for books that differ in serifs and in the thickness of strokes. Paper, ink, size
and place are random. Validation and test pictures have other words than training pictures: the
words are those of Python's own help, so another Python draws other pictures.

`fast64` at 64 pixels is compared with `fast` at 32 for as many epochs of all images, so that the
pixels make the difference and not the steps. Neither shows mirrored images, which letters are not.
"""

import hashlib
import io
import json
import re
import statistics
import tarfile
import time
from pathlib import Path
from pydoc_data.topics import topics
from typing import Annotated, Any

import numpy as np
import typer
from common import ROOT
from PIL import Image, ImageDraw, ImageFont

# The class of a typeface is its index here.
PACKAGES = (
    "@expo-google-fonts/crimson-text@0.4.0",
    "@expo-google-fonts/eb-garamond@0.4.3",
    "@expo-google-fonts/libre-baskerville@0.4.3",
    "@expo-google-fonts/lora@0.4.2",
    "@expo-google-fonts/merriweather@0.4.2",
    "@expo-google-fonts/noto-serif@0.4.2",
    "@expo-google-fonts/pt-serif@0.4.1",
    "@expo-google-fonts/source-serif-4@0.4.1",
)
PIXELS = 64
X_HEIGHT = (4.0, 6.0)  # of letters, in pixels
PARTS = {"train": 100, "validation": 40, "test": 80}  # pictures of each class
EPOCHS, PATIENCE = 16, 9  # of `fast`: as many epochs as `fast64` has

Parts = dict[str, tuple[np.ndarray, np.ndarray]]


def words() -> dict[str, list[str]]:
    """Return the words of each part: seven, one and two tenths of those in Python's help."""
    found = {word for text in topics.values() for word in re.findall(r"\b[a-z]{3,9}\b", text)}
    parts: dict[str, list[str]] = {part: [] for part in PARTS}
    for word in sorted(found):
        tenth = int(hashlib.sha256(word.encode()).hexdigest(), 16) % 10
        parts["train" if tenth < 7 else "validation" if tenth == 7 else "test"].append(word)
    return parts


def read_font(folder: Path, package: str) -> bytes:
    """Return the upright book weight of a package that `npm pack` has left in `folder`."""
    name, version = package.removeprefix("@").replace("/", "-").rsplit("@", 1)
    with tarfile.open(folder / f"{name}-{version}.tgz") as archive:
        member = next(each for each in archive.getnames() if each.endswith("400Regular.ttf"))
        file = archive.extractfile(member)
        assert file is not None
        return file.read()


def draw_page(font: bytes, chosen: list[str], random: np.random.Generator) -> np.ndarray:
    """Return a piece of a page, uint8 (64, 64, 3)."""
    _, top, _, bottom = ImageFont.truetype(io.BytesIO(font), 100).getbbox("x")
    size = random.uniform(*X_HEIGHT) / ((bottom - top) / 100)
    face = ImageFont.truetype(io.BytesIO(font), size)
    page = Image.new("L", (PIXELS, PIXELS), int(random.integers(215, 256)))
    ink = int(random.integers(0, 71))
    line = size * 1.25
    y = -random.uniform(0, line)
    while y < PIXELS:
        place = (-random.uniform(0, 40), y)
        text = " ".join(random.choice(chosen, 8))
        ImageDraw.Draw(page).text(place, text, font=face, fill=ink)
        y += line
    return np.asarray(page.convert("RGB"))


def draw_parts(folder: Path) -> Parts:
    """Return images, uint8 (N, 64, 64, 3), and labels, uint8 (N,), of each part."""
    fonts = [read_font(folder, package) for package in PACKAGES]
    random = np.random.default_rng(1)
    of = words()
    return {
        part: (
            np.stack([draw_page(font, of[part], random) for font in fonts for _ in range(number)]),
            np.repeat(np.arange(len(fonts)), number).astype(np.uint8),
        )
        for part, number in PARTS.items()
    }


def at_32(images: np.ndarray) -> np.ndarray:
    """Return the images as `download.image_size: 32` makes them."""
    from cifar_pipeline.images.decoding import fitted

    return np.stack([np.asarray(fitted(Image.fromarray(image), "crop", 32)) for image in images])


def train_once(parts: Parts, preset: str, seed: int) -> dict[str, Any]:
    """Train, and return mean recalls and the processor's seconds."""
    from cifar_pipeline.backend.device import resolve_precision
    from cifar_pipeline.dataset.channel_statistics import channel_statistics
    from cifar_pipeline.metrics.loss_and_accuracy import balanced_accuracy
    from cifar_pipeline.params.presets import load_model
    from cifar_pipeline.train.loop import Split, fit

    params = load_model(ROOT / "params.yaml", preset)
    unflipped = params.augmentation.model_copy(update={"flip": "none"})
    long = params.early_stopping.model_copy(update={"patience": PATIENCE})
    params = params.model_copy(update={"augmentation": unflipped})
    if preset == "fast":
        changes = {"epochs": EPOCHS, "hardest_share": 1.0, "early_stopping": long}
        params = params.model_copy(update=changes)
    splits = {part: Split(*parts[part], len(PACKAGES)) for part in parts}
    statistics_of = channel_statistics(splits["train"].images)
    precision = resolve_precision(params.precision)
    began = time.time(), time.process_time()
    run = fit(params, seed, precision, splits["train"], splits["validation"], statistics_of)
    seconds = time.process_time() - began[1]
    result: dict[str, Any] = {
        "preset": preset,
        "pixels": splits["train"].images.shape[1],
        "seed": seed,
        "precision": precision,
        "epoch": run.best_epoch,
    }
    for part in ("validation", "test"):
        logits = run.network.predict(splits[part].images, batch_size=100, verbose=0)
        result[part] = round(balanced_accuracy(logits, splits[part].labels), 4)
    return {
        **result,
        "processor_seconds": round(seconds),
        "seconds": round(time.time() - began[0]),
    }


def main(
    folder: Annotated[Path, typer.Argument(help="Where the packages lie.")],
    seeds: Annotated[int, typer.Option(help="Seeds up to this.", min=1)] = 3,
    first: Annotated[int, typer.Option(help="The first seed.", min=1)] = 1,
    save: Annotated[Path | None, typer.Option(help="Draw some pictures into this file.")] = None,
) -> None:
    """Print mean recall of both presets, run by run and their means."""
    from cifar_pipeline.backend.start import start_backend

    large = draw_parts(folder)
    if save:
        rows = large["train"][0].reshape(len(PACKAGES), -1, PIXELS, PIXELS, 3)[:, :8]
        Image.fromarray(np.concatenate(np.concatenate(rows, axis=1), axis=1)).save(save)
    start_backend()
    small = {part: (at_32(images), labels) for part, (images, labels) in large.items()}
    runs = []
    for seed in range(first, seeds + 1):
        for preset, parts in (("fast", small), ("fast64", large)):
            runs.append(train_once(parts, preset, seed))
            print(json.dumps(runs[-1]), flush=True)
    for preset in ("fast", "fast64"):
        of = [run for run in runs if run["preset"] == preset]
        means = {part: statistics.mean(run[part] for run in of) for part in ("validation", "test")}
        print(json.dumps({"preset": preset, **{at: round(by, 4) for at, by in means.items()}}))


if __name__ == "__main__":
    typer.run(main)
