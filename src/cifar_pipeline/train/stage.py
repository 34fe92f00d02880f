"""The stage `train`: fit a preset's network, save it as plain Keras, leave its scores."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from cifar_pipeline.backend.device import (
    computes_on_gpu,
    describe_device,
    processor_name,
    resolve_convolution,
    resolve_precision,
    within_memory,
)
from cifar_pipeline.common.atomic import replacing, require_writable, writing
from cifar_pipeline.common.console import say
from cifar_pipeline.common.errors import PipelineError, under_dvc
from cifar_pipeline.dataset.arrays import load_class_names, load_split
from cifar_pipeline.dataset.channel_statistics import ChannelStatistics, load_statistics
from cifar_pipeline.dataset.image_set import load_image_set
from cifar_pipeline.fourier.inference import with_fourier_convolutions
from cifar_pipeline.metrics.chance import warning_of_chance
from cifar_pipeline.metrics.loss_and_accuracy import accuracy, balanced_accuracy, cross_entropy
from cifar_pipeline.network.build import build_saved_network, halfway_layer
from cifar_pipeline.network.memory import look_at_memory
from cifar_pipeline.params.presets import ModelParams, require_fitting
from cifar_pipeline.train.checkpoint import Checkpoint
from cifar_pipeline.train.fingerprint import fingerprint_of
from cifar_pipeline.train.loop import PREDICTION_BATCH, Run, Split, fit
from cifar_pipeline.trained_model.canonical_archive import save_canonical
from cifar_pipeline.trained_model.decoding import decoding_entry
from cifar_pipeline.trained_model.keras_file import class_names_entry, load_saved_model
from cifar_pipeline.trained_model.ood_statistics import load_ood_statistics
from cifar_pipeline.trained_model.outputs import (
    feature_extractor,
    fit_ood_statistics,
    predict_outputs,
)
from cifar_pipeline.trained_model.training_lock import CHECKPOINT, MODEL
from cifar_pipeline.trained_model.validation_outputs import FILE as VALIDATION_OUTPUTS
from cifar_pipeline.trained_model.validation_outputs import write_validation_outputs

_REPORTS = _HISTORY, _METRICS, _TIMINGS = "history.csv", "train_metrics.json", "train_timings.json"


def _require_contrast(statistics: ChannelStatistics, processed: Path) -> None:
    if not any(statistics.standard_deviation):
        colour = ", ".join(f"{value:g}" for value in statistics.mean)
        raise PipelineError(
            f"every pixel of every training image in {processed} has the same colour, "
            f"({colour}) of 255: there is nothing to learn; look at the pictures and how they were "
            "read"
        )


def _look_at_memory(params: ModelParams, side: int, training: Split, preset: str) -> None:
    """Warn of a training that takes most of the memory, or refuse it; on a GPU its own counts."""
    if computes_on_gpu():
        return
    fourier = resolve_convolution(params.convolution) == "fourier"
    images, classes = len(training.labels), training.classes
    if line := look_at_memory(params, side, images, classes, fourier, f"models.{preset}"):
        say(f"warning: {line}")


def _scores(probabilities: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    return {
        "loss": round(cross_entropy(probabilities, labels), 6),
        "accuracy": round(accuracy(probabilities, labels), 6),
        "balanced_accuracy": round(balanced_accuracy(probabilities, labels), 6),
    }


def _write_reports(reports: Path, run: Run, metrics: dict[str, Any]) -> None:
    with replacing(reports / _HISTORY) as temporary:
        run.history.to_csv(
            temporary,
            index=False,
            float_format="%.8g",
            lineterminator="\n",
            na_rep="NaN",  # DVC's plots would draw an empty field as 0
        )
    # A clock's readings are never the same twice: DVC and Git leave the timings alone.
    timings = {
        "device": describe_device(),
        "processor": processor_name(),
        "training_seconds": round(sum(run.seconds), 3),
        "epoch_seconds": run.seconds,
    }
    for name, content in ((_METRICS, metrics), (_TIMINGS, timings)):
        with replacing(reports / name) as temporary:
            temporary.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def train(
    processed: Path,
    models: Path,
    reports: Path,
    params: ModelParams,
    seed: int,
    preset: str = "PRESET",
) -> None:
    """Run the stage: read the arrays, fit, save the model, write history and metrics.

    The outputs of the saved model for the validation images are kept: evaluate chooses temperature
    and OOD threshold by them.

    Args:
        processed: folder of the arrays; its test split is not read.
        models: folder for model.keras and validation_outputs.npz.
        reports: folder for history.csv, train_metrics.json and train_timings.json.
        params: the preset.
        seed: of everything random.
        preset: its name, for messages.

    Raises:
        PipelineError: an array is missing or corrupt, all images are of one colour, the training
            takes far more memory than there is, the loss diverged.
    """
    # Not found out when the training is over.
    require_writable(models, MODEL, VALIDATION_OUTPUTS, CHECKPOINT)
    require_writable(reports, *_REPORTS)
    names = load_class_names(processed)
    training = Split(*load_split(processed, "train"), len(names))
    validation = Split(*load_split(processed, "validation"), len(names))
    statistics = load_statistics(processed)
    images = load_image_set(processed, "preprocess")
    require_fitting(params, images.image_size)
    _require_contrast(statistics, processed)
    _look_at_memory(params, images.image_size, training, preset)
    precision = resolve_precision(params.precision)
    checkpoint = Checkpoint(models / CHECKPOINT, fingerprint_of(params, seed, precision, processed))
    with within_memory(f"lower models.{preset}.batch_size, or the filters of its blocks"):
        run = fit(params, seed, precision, training, validation, statistics, checkpoint)

    network = build_saved_network(params, statistics, run.network)
    training_probabilities, ood_statistics = fit_ood_statistics(
        with_fourier_convolutions(network),
        halfway_layer(params),
        training.images,
        PREDICTION_BATCH,
    )
    with writing(models):
        extra = class_names_entry(names) | ood_statistics.entry() | decoding_entry(images)
        save_canonical(network, models / MODEL, extra)
    saved = with_fourier_convolutions(load_saved_model(models / MODEL))
    extractor = feature_extractor(saved, load_ood_statistics(models / MODEL))
    held_out = predict_outputs(extractor, validation.images, PREDICTION_BATCH)
    with writing(models):
        write_validation_outputs(models / MODEL, held_out)
    validation_scores = _scores(held_out.probabilities, validation.labels)
    metrics = {
        "epochs": len(run.history),
        "best_epoch": run.best_epoch,
        "stopped_early": run.stopped_early,
        "precision": precision,
        "train": _scores(training_probabilities, training.labels),
        "validation": validation_scores,
    }
    with writing(reports):
        _write_reports(reports, run, metrics)
    if not under_dvc():
        checkpoint.remove()
    # Else DVC may be killed before it has noted this run, and ask for it again. It has noted it
    # when evaluate begins, which removes the checkpoint.
    say(
        f"kept epoch {run.best_epoch} of {len(run.history)}"
        f"{' (stopped early)' if run.stopped_early else ''}: "
        f"validation accuracy {validation_scores['accuracy']:.4f}, "
        f"loss {validation_scores['loss']:.4f}"
    )
    whitens = params.whitening_filters > 0
    if warning := warning_of_chance(held_out.logits, validation.labels, preset, whitens):
        say(f"warning: {warning}")
