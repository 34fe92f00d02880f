"""Whole files of each kind that the readers of decoding_child.py read, in folders of their own."""

import csv
import json
import shutil
from pathlib import Path

import numpy as np
from PIL import Image

from cifar_pipeline.codec.compress import Target, compress
from cifar_pipeline.codec.inputs import find_inputs
from cifar_pipeline.common.checksums import MANIFEST, write_manifest
from cifar_pipeline.dataset.arrays import CLASSES, array_names
from cifar_pipeline.dataset.channel_statistics import channel_statistics, write_statistics
from cifar_pipeline.dataset.cifar10 import CLASS_NAMES
from cifar_pipeline.dataset.image_set import (
    FILES,
    FileRecord,
    ImageSet,
    write_files,
    write_image_set,
)
from cifar_pipeline.evaluate.thresholds import choose_operating_point, write_operating_point
from cifar_pipeline.train.checkpoint import Checkpoint, RunState
from cifar_pipeline.trained_model.outputs import Outputs
from cifar_pipeline.trained_model.validation_outputs import write_validation_outputs
from codec_models import images, write_model
from decoding_child import KEY, READERS
from evaluate_inputs import HISTORY, TRAIN_METRICS
from params_files import with_presets
from pictures import encoded, noise
from small_models import save_model


def pictures() -> list[bytes]:
    """Return small pictures of every format and of the kinds of pixels that one can have."""
    rgb = Image.fromarray(noise(18, 24))
    grey, palette, clear = rgb.convert("L"), rgb.convert("P"), rgb.convert("RGBA")
    wide = Image.fromarray(np.arange(300, dtype=np.uint16).reshape(15, 20))
    real = Image.fromarray(np.linspace(-1, 1, 300, dtype=np.float32).reshape(15, 20))
    exif = Image.Exif()
    exif[0x0112] = 6  # turned
    several = {"save_all": True, "append_images": [grey.convert("RGB"), rgb]}
    return [
        *(encoded(each, "PNG") for each in (rgb, grey, palette, clear, wide)),
        encoded(rgb, "PNG", **several),
        *(encoded(each, "JPEG", exif=exif) for each in (rgb, grey, rgb.convert("CMYK"))),
        encoded(rgb, "JPEG", progressive=True),
        *(encoded(each, "WEBP", lossless=lossless) for each in (rgb, clear) for lossless in (0, 1)),
        encoded(rgb, "WEBP", **several),
        *(encoded(each, "BMP") for each in (rgb, grey, palette)),
        *(encoded(each, "GIF") for each in (palette, grey)),
        encoded(palette, "GIF", **several),
        *(
            encoded(rgb, "TIFF", compression=name)
            for name in (None, "tiff_lzw", "jpeg", "tiff_deflate")
        ),
        *(encoded(each, "TIFF") for each in (wide, real, palette, rgb.convert("1"))),
        encoded(rgb, "TIFF", **several),
        *(encoded(each, "AVIF") for each in (rgb, clear)),
        *(encoded(each, "JPEG2000") for each in (rgb, grey, clear)),
        *(encoded(each, "PPM") for each in (rgb, grey, wide, rgb.convert("1"))),
        encoded(clear.resize((16, 16)), "ICO"),
    ]


def lay_out(root: Path) -> dict[str, list[bytes]]:
    """Lay out what each reader reads in a folder of its name; return the whole files by it."""
    for name in READERS:
        (root / name).mkdir()
    save_model(root / "archive/model.keras")
    for name in ("model", "outputs", "operating point"):
        shutil.copy(root / "archive/model.keras", root / name)
    numbers = np.random.default_rng(1).normal(size=(20, 10)).astype(np.float32)
    scores = numbers[:, 0]
    model = root / "outputs/model.keras"
    write_validation_outputs(model, Outputs(numbers, numbers, scores))
    _write_operating_point(root / "operating point", scores)
    _write_checkpoint(root / "checkpoint/training.backup")
    signed = (root / "checkpoint/training.backup").read_bytes()
    (root / "signed checkpoint/training.backup").write_bytes(signed[32:])
    for name in ("manifest", "classes", "images", "labels", "statistics", "image set", "files"):
        _write_data(root / name)
    for name in ("history", "train metrics"):
        (root / name / "history.csv").write_text(HISTORY)
        (root / name / "train_metrics.json").write_text(json.dumps(TRAIN_METRICS))
    (root / "params/params.yaml").write_text(with_presets("quick", "fast"))
    _write_table(root / "table")
    for name in ("compressed", "signed compressed"):
        _write_compressed(root / name)
    write_model(root / "codec model/model.npz")
    whole = {
        name: [(root / name / reader.file).read_bytes()]
        for name, reader in READERS.items()
        if name != "picture"
    }
    return whole | {"picture": pictures()}


def _write_operating_point(folder: Path, scores: np.ndarray) -> None:
    model = folder / "model.keras"
    point = choose_operating_point(model, 1.2, "norm_and_distance", scores, scores)
    write_operating_point(folder / "chosen.json", point)


def _write_checkpoint(path: Path) -> None:
    arrays = [np.ones((3, 4), np.float32), np.zeros(2, np.int64)]
    stopping = {"wait": 0, "best": 1.5, "best_epoch": 1, "stopped_epoch": 0}
    rows = [{"epoch": 1.0, "loss": 2.0}]
    state = RunState(1, rows, [0.5], stopping, arrays, arrays, [], arrays)
    Checkpoint(path, KEY)._write(state)


def _write_data(folder: Path) -> None:
    images = noise(4, 4)[None].repeat(3, axis=0)
    for array, content in zip(
        array_names("test"), (images, np.arange(3, dtype=np.uint8)), strict=True
    ):
        np.save(folder / array, content)
    (folder / CLASSES).write_text(json.dumps(CLASS_NAMES))
    write_statistics(folder, channel_statistics(images))
    write_image_set(folder, ImageSet(fit="crop", pictures="a", layout="a table", modes={"RGB": 3}))
    write_files(folder / FILES, [FileRecord("test", 1, "a/ä.png", 4, 4, "RGB", 0)] * 3)
    write_manifest(folder)
    assert (folder / MANIFEST).exists()


def _write_compressed(folder: Path) -> None:
    """Write a file of an array and two pictures, and its model."""
    model = write_model(folder / "model.npz")
    np.save(folder / "a.npy", images(5))
    for name, side in (("b", 8), ("c", 5)):
        Image.fromarray(images(1, side)[0]).save(folder / f"{name}.png")
    inputs = find_inputs([str(folder / name) for name in ("a.npy", "b.png", "c.png")])
    compress(inputs, folder / "images.cifc", Target(psnr=30), model)


def _write_table(folder: Path) -> None:
    rows = [("file", "label", "part")]
    rows += [
        (f"{part}-{label}.png", label, part)
        for label in ("cat", "dog")
        for part in ("train", "test")
    ]
    for name, _, _ in rows[1:]:
        (folder / name).write_bytes(encoded(noise(), "PNG"))
    with (folder / "labels.csv").open("w") as file:
        csv.writer(file).writerows(rows)
