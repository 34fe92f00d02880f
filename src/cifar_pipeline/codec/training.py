"""The codec's stage `train`: fit the network, then its tables, and leave them as one model."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cifar_pipeline.backend.device import (
    describe_device,
    processor_name,
    resolve_precision,
    within_memory,
)
from cifar_pipeline.codec.distortion import psnr, squared_errors
from cifar_pipeline.codec.fitting import Layout, fit_tables
from cifar_pipeline.codec.klt import fit_block_transform
from cifar_pipeline.codec.learned import Learned, save_codec
from cifar_pipeline.codec.loop import fit_codec
from cifar_pipeline.codec.model import PRESENT, Model, keep_model, load_model, save_model
from cifar_pipeline.codec.params import CodecPreset
from cifar_pipeline.codec.tables import LEVELS, Tables
from cifar_pipeline.common.atomic import replacing, require_writable, writing
from cifar_pipeline.common.console import say
from cifar_pipeline.common.errors import under_dvc
from cifar_pipeline.dataset.arrays import load_images
from cifar_pipeline.train.checkpoint import Checkpoint
from cifar_pipeline.train.epochs import Run
from cifar_pipeline.train.fingerprint import fingerprint_of
from cifar_pipeline.trained_model.training_lock import CHECKPOINT

ARCHIVE = "codec.keras"
HISTORY, METRICS, TIMINGS = "history.csv", "train_metrics.json", "train_timings.json"
# Tables are fitted to the symbols of so many training images at so many levels.
IMAGES_OF_TABLES, LEVELS_OF_TABLES = 5000, 18
# What the tables are told of the symbols.
_GROUP = 16
# Validation images are coded at these levels, for the metrics.
MEASURED_LEVELS = range(15, LEVELS, 48)


@dataclass(frozen=True)
class Scores:
    """Of images that were coded at one level.

    Attributes:
        bits_per_pixel: by the tables.
        psnr: in dB, of the mean squared error over all images, of pixels rounded to 8 bits.
    """

    bits_per_pixel: float
    psnr: float


def train_codec(
    processed: Path, models: Path, reports: Path, preset: CodecPreset, seed: int
) -> None:
    """Run the stage: read the arrays, fit network and tables, save the model, write the history.

    Args:
        processed: folder of the classifier's arrays; neither its labels nor its test split count.
        models: folder for codec.keras, which plain Keras loads, and for model.npz, which is the
            same with its tables. A copy of the latter is named by its SHA-256.
        reports: folder for history.csv, train_metrics.json and train_timings.json.
        preset: the network and the recipe.
        seed: of everything random.

    Raises:
        PipelineError: an array is missing or corrupt, the loss diverged, memory or disk are short.
    """
    # Not found out when the training is over.
    require_writable(models, PRESENT, ARCHIVE, CHECKPOINT)
    require_writable(reports, HISTORY, METRICS, TIMINGS)
    images = load_images(processed, "train")
    validation = load_images(processed, "validation")
    precision = resolve_precision(preset.precision)
    checkpoint = Checkpoint(models / CHECKPOINT, fingerprint_of(preset, seed, precision, processed))
    with within_memory("lower batch_size or the network's filters"):
        networks, run = fit_codec(preset, seed, precision, images, validation, checkpoint)
    transform = fit_block_transform(images, preset.network.block_size, preset.network.channels)
    with writing(models):
        save_codec(models / ARCHIVE, preset.network, transform, networks)
    learned = Learned(np.frombuffer((models / ARCHIVE).read_bytes(), np.uint8))
    tables = fit_codec_tables(learned, images)
    with writing(models):
        save_model(models / PRESENT, learned, tables)
        keep_model(models / PRESENT)
    model = load_model(models / PRESENT)
    features = model.features(validation)
    scores = {
        f"level_{level}": score(model, validation, features, level) for level in MEASURED_LEVELS
    }
    write_reports(reports, run, precision, {"validation": scores})
    if not under_dvc():
        checkpoint.remove()
    say(f"kept epoch {run.best_epoch} of {len(run.history)}; model {model.digest}")
    for name, found in scores.items():
        say(f"{name}: {found.bits_per_pixel:.3f} bits per pixel, {found.psnr:.2f} dB")


def fit_codec_tables(learned: Learned, images: np.ndarray) -> Tables:
    """Return tables for the symbols of training images, uint8 (N, H, W, 3)."""
    features = learned.features(images[:IMAGES_OF_TABLES])
    levels = np.linspace(0, LEVELS - 1, LEVELS_OF_TABLES).round().astype(np.uint8)
    layout = Layout(learned.channels, _GROUP, has_neighbours=True)
    symbols = (
        (int(level), learned.symbols(features, np.full(len(features), level))) for level in levels
    )
    return fit_tables(symbols, layout)


def score(model: Model, images: np.ndarray, features: np.ndarray, level: int) -> Scores:
    """Return the scores of `images`, uint8 (N, H, W, 3), at `level`.

    Args:
        model: of the codec.
        images: as above.
        features: what the model has of them, the same for all levels.
        level: of quality.
    """
    size = (images.shape[1], images.shape[2])
    levels = np.full(len(images), level, np.uint8)
    symbols = model.transform.symbols(features, levels)
    error = squared_errors(images, model.pixels(symbols, levels, size)).mean()
    bits = model.bits(symbols, levels).sum() / (len(images) * size[0] * size[1])
    return Scores(round(float(bits), 4), round(float(psnr(error, images.size)), 3))


def write_reports(reports: Path, run: Run, precision: str, scores: dict[str, Any]) -> None:
    """Write history, metrics and timings of a run; `scores` go into the metrics."""
    metrics = {
        "epochs": len(run.history),
        "best_epoch": run.best_epoch,
        "stopped_early": run.stopped_early,
        "precision": precision,
        **scores,
    }
    # A clock's readings are never the same twice: DVC and Git leave the timings alone.
    timings = {
        "device": describe_device(),
        "processor": processor_name(),
        "training_seconds": round(sum(run.seconds), 3),
        "epoch_seconds": run.seconds,
    }
    with writing(reports):
        with replacing(reports / HISTORY) as temporary:
            run.history.to_csv(temporary, index=False, float_format="%.8g", lineterminator="\n")
        for name, content in ((METRICS, metrics), (TIMINGS, timings)):
            with replacing(reports / name) as temporary:
                text = json.dumps(content, indent=2, default=asdict)
                temporary.write_text(text + "\n", encoding="utf-8")
