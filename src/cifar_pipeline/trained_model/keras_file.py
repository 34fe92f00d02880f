"""Load the model that train left and ask it for probabilities."""

import json
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cifar_pipeline.backend.start import start_backend
from cifar_pipeline.common.checksums import HEAL
from cifar_pipeline.common.errors import PipelineError
from cifar_pipeline.common.sigint import ends_without_unwinding
from cifar_pipeline.trained_model.batch_size import images_at_once

if TYPE_CHECKING:
    import keras

# How far the probabilities of one image may sum from 1: a softmax in bfloat16 stays well under.
SUM_TOLERANCE = 0.02
_CLASS_NAMES = "class_names.json"


def load_saved_model(path: Path) -> "keras.Model":
    """Load the model at `path`, a .keras archive, for inference.

    Keras' safe mode refuses an archive that brings code of its own.

    Raises:
        PipelineError: there is no model or it cannot be loaded.
    """
    if not path.is_file():
        raise PipelineError(f"{path} is missing; `dvc repro train` writes models/model.keras")
    # Imported late: TensorFlow takes seconds, and a missing file should not wait for them.
    start_backend()
    import keras

    try:
        # Keras reads the weights piecemeal, and so never compares their checksum.
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
        if damaged:
            raise zipfile.BadZipFile(f"{damaged} in it is damaged")
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    # What a damaged archive raises depends on its first damaged part: the archive, the JSON or
    # the weights.
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise PipelineError(
            f"{path} cannot be loaded ({_shortened(reason)}); {HEAL}; if nothing "
            "is, `dvc repro --force train` writes it again"
        ) from None


def class_names_entry(names: tuple[str, ...]) -> dict[str, bytes]:
    """Return the archive entry that holds a model's class names: content by name."""
    return {_CLASS_NAMES: (json.dumps(names, indent=2) + "\n").encode()}


def class_names_of(path: Path) -> tuple[str, ...] | None:
    """Return the names of the classes of the model at `path`, in the order of its outputs.

    None where the archive holds none: another program has written it.

    Raises:
        PipelineError: it cannot be read.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            if _CLASS_NAMES not in archive.namelist():
                return None
            return tuple(json.loads(archive.read(_CLASS_NAMES)))
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise PipelineError(f"{path} cannot be read ({error}); {HEAL}") from None


def check_classes(model: "keras.Model", names: tuple[str, ...]) -> None:
    """Compare the model's outputs with the names of the classes.

    Raises:
        PipelineError: it does not answer a number for each of `names`.
    """
    if tuple(model.output_shape[1:]) != (len(names),):
        raise PipelineError(
            f"the model must answer {len(names)} probabilities an image, "
            f"got shape {tuple(model.output_shape[1:])}"
        )


def predict_probabilities(model: "keras.Model", images: np.ndarray, batch_size: int) -> np.ndarray:
    """Return the probability of every class for every image.

    Args:
        model: maps pixels from 0 to 255 to probabilities; any normalisation is its own.
        images: uint8 (N, 32, 32, 3), N at least 1.
        batch_size: images in one call of the model, at most; the last batch may be smaller.

    Returns:
        float32 (N, classes).

    Raises:
        PipelineError: the model does not take such images or does not answer probabilities.
    """
    return predict_all(model, images, batch_size)[0]


def predict_all(model: "keras.Model", images: np.ndarray, batch_size: int) -> list[np.ndarray]:
    """Return every output of `model`, float32; the first one is checked to be probabilities.

    Arguments and errors as in `predict_probabilities`.
    """
    if tuple(model.input_shape[1:]) != images.shape[1:]:
        raise PipelineError(
            f"the model takes inputs of shape {tuple(model.input_shape[1:])}, and the images are "
            f"{images.shape[1:]}"
        )
    # Not model.predict: on NumPy arrays it starts a tf.data pipeline, whose autotuning thread
    # holds up the end of every pass.
    batch_size = images_at_once(model, batch_size)
    starts = range(0, len(images), batch_size)
    with ends_without_unwinding():
        batches = [model.predict_on_batch(images[at : at + batch_size]) for at in starts]
    if not isinstance(batches[0], list):
        batches = [[batch] for batch in batches]
    outputs = [np.concatenate(parts).astype(np.float32) for parts in zip(*batches, strict=True)]
    _check_probabilities(outputs[0])
    return outputs


def _check_probabilities(probabilities: np.ndarray) -> None:
    broken = np.count_nonzero(~np.isfinite(probabilities).all(axis=1))
    if broken:
        raise PipelineError(
            f"the model's output is not finite for {broken:,} of {len(probabilities):,} images; "
            "train it again with a lower learning rate"
        )
    sums = probabilities.sum(axis=1, dtype=np.float64)
    if probabilities.min() < 0 or np.abs(sums - 1).max() > SUM_TOLERANCE:
        raise PipelineError(
            "the model's output is no probabilities: expected numbers from 0 that sum to 1, got "
            f"a least number of {probabilities.min():.3g} and sums from {sums.min():.3g} to "
            f"{sums.max():.3g}; end the model with a softmax"
        )


def _shortened(reason: str, length: int = 200) -> str:
    return reason if len(reason) <= length else reason[: length - 3] + "..."
