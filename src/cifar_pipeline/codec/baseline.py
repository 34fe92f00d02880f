"""The codec's stage `baseline`: train the autoencoder of 2017, and measure what it never stored."""

import json
from pathlib import Path

import keras
import numpy as np

from cifar_pipeline.backend.device import resolve_precision, within_memory
from cifar_pipeline.codec.dense import (
    BITS_OF_A_NUMBER,
    DenseAutoencoder,
    build_dense_autoencoder,
)
from cifar_pipeline.codec.distortion import psnr, squared_errors
from cifar_pipeline.codec.loop import VALIDATION_BATCH, fit_baseline
from cifar_pipeline.codec.params import BaselinePreset
from cifar_pipeline.common.atomic import replacing, require_writable, writing
from cifar_pipeline.common.console import say
from cifar_pipeline.common.errors import under_dvc
from cifar_pipeline.dataset.arrays import load_images
from cifar_pipeline.train.checkpoint import Checkpoint
from cifar_pipeline.train.fingerprint import fingerprint_of
from cifar_pipeline.trained_model.canonical_archive import save_canonical

ARCHIVE, CHECKPOINT = "baseline_2017.keras", "baseline.backup"
METRICS = "baseline_2017.json"
_SPLITS = ("train", "validation", "test")


def train_baseline(
    processed: Path, models: Path, reports: Path, preset: BaselinePreset, seed: int
) -> None:
    """Run the stage: train, save the autoencoder, write its PSNR on each split.

    The test images are read when the training is over, and choose nothing.

    Args:
        processed: folder of the classifier's arrays.
        models: folder for baseline_2017.keras.
        reports: folder for baseline_2017.json.
        preset: the network and the recipe.
        seed: of initial weights and order.

    Raises:
        PipelineError: an array is missing or corrupt, the loss diverged, memory or disk are short.
    """
    require_writable(models, ARCHIVE, CHECKPOINT)
    require_writable(reports, METRICS)
    images = {split: load_images(processed, split) for split in ("train", "validation")}
    precision = resolve_precision(preset.precision)
    checkpoint = Checkpoint(models / CHECKPOINT, fingerprint_of(preset, seed, precision, processed))
    with within_memory("lower batch_size or the network's filters"):
        halves, run = fit_baseline(
            preset, seed, precision, images["train"], images["validation"], checkpoint
        )
    plain = build_dense_autoencoder(preset.network, images["train"].shape[1:], "float32")
    for network, trained in zip(plain, halves, strict=True):
        network.set_weights(trained.get_weights())
    pixels = plain.encoder.inputs[0]
    whole = keras.Model(pixels, plain.decoder(plain.encoder(pixels)), name="baseline_2017")
    with writing(models):
        save_canonical(whole, models / ARCHIVE, {})
    images["test"] = load_images(processed, "test")
    area = images["test"].shape[1] * images["test"].shape[2]
    metrics = {
        "epochs": len(run.history),
        "best_epoch": run.best_epoch,
        "bits_per_pixel": preset.network.code_length * BITS_OF_A_NUMBER / area,
        **{split: _scores(plain, images[split]) for split in _SPLITS},
    }
    with writing(reports), replacing(reports / METRICS) as temporary:
        temporary.write_text(json.dumps(metrics, indent=2) + "\n", encoding="utf-8")
    if not under_dvc():
        checkpoint.remove()
    say(f"{metrics['bits_per_pixel']:g} bits per pixel, as plain numbers")
    for split in _SPLITS:
        say(f"{split}: {metrics[split]['psnr']:.2f} dB")


def _scores(halves: DenseAutoencoder, images: np.ndarray) -> dict[str, float]:
    """Return scores of images, uint8 (N, H, W, 3).

    `psnr` is that of the mean squared error over all of them, of pixels rounded to 8 bits, and
    `unrounded_psnr` is the notebook's, of pixels as they come; `mean_psnr` is the mean over images.
    """
    errors, unrounded = [], []
    for at in range(0, len(images), VALIDATION_BATCH):
        some = images[at : at + VALIDATION_BATCH]
        codes = halves.encoder(some.astype(np.float32))
        found = keras.ops.convert_to_numpy(halves.decoder(codes))
        errors.append(squared_errors(some, np.clip(np.rint(found), 0, 255).astype(np.uint8)))
        unrounded.append(np.square(found - some).mean(axis=(1, 2, 3), dtype=np.float64))
    each = np.concatenate(errors)
    whole = np.concatenate(unrounded).mean()
    return {
        "psnr": round(float(psnr(each.mean(), images.size)), 4),
        "unrounded_psnr": round(float(psnr(whole, images.size)), 4),
        "mean_psnr": round(float(psnr(each, images[0].size).mean()), 4),
    }
