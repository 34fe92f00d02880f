"""Load the model that train left and ask it for probabilities."""

import json
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cifar_pipeline.backend.start import start_backend
from cifar_pipeline.common.errors import PipelineError
from cifar_pipeline.common.signals import ends_without_unwinding
from cifar_pipeline.common.system_errors import advice_for, reason_of, refusal
from cifar_pipeline.dataset.arrays import parse_class_names
from cifar_pipeline.trained_model.archive import holds, read_entry, require_whole, unreadable
from cifar_pipeline.trained_model.batch_size import images_at_once
from cifar_pipeline.trained_model.classifier import as_classifier, image_shape
from cifar_pipeline.trained_model.config_checks import custom_code, too_large
from cifar_pipeline.trained_model.file_kind import CONFIG, WEIGHTS, what_it_is

if TYPE_CHECKING:
    import keras

# How far the probabilities of one image may sum from 1: a softmax in bfloat16 stays well under.
SUM_TOLERANCE = 0.02
_CLASS_NAMES = "class_names.json"


def load_saved_model(path: Path) -> "keras.Model":
    """Load the model at `path`, a .keras archive, for inference.

    Keras' safe mode refuses an archive that brings code of its own.

    Raises:
        PipelineError: there is no model, it cannot be loaded, or it is no classifier of images.
    """
    _require_keras_archive(path)
    _check_configuration(path, require_whole(path))
    # Imported late: TensorFlow takes seconds, and a wrong file should not wait for them.
    start_backend()
    import keras

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the names of a mapping of inputs, and the like
            model = keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # which one depends on the first part that is damaged or not known
        raise unreadable(path, error) from None
    try:
        return as_classifier(model)
    except PipelineError as error:
        raise PipelineError(f"{path} is no classifier of images: {error}") from None


def _require_keras_archive(path: Path) -> None:
    try:
        other = what_it_is(path)
    except FileNotFoundError:
        raise PipelineError(
            f"{path} is missing; `dvc repro train` writes models/model.keras"
        ) from None
    except OSError as error:
        raise PipelineError(refusal(error, path, "read")) from None
    if other:
        raise PipelineError(f"{path} is no Keras archive (.keras) but {other}")


def _check_configuration(path: Path, size: int) -> None:
    content = read_entry(path, CONFIG)
    try:
        if content is None:
            raise ValueError(f"{CONFIG} in it is missing")
        config = json.loads(content)
        if not isinstance(config, dict):
            raise ValueError(f"{CONFIG} in it is no JSON object")
        if not holds(path, WEIGHTS):
            raise ValueError(f"{WEIGHTS}h5 in it is missing")
        claimed = too_large(config, size)
        if claimed:
            raise ValueError(claimed)
    except (ValueError, RecursionError) as error:
        raise unreadable(path, error) from None
    code = custom_code(config)
    if code:
        raise PipelineError(
            f"{path} needs code that is not Keras' own, and none is run: {code}; make it of "
            "Keras' layers, or export it where it was made"
        )


def class_names_entry(names: tuple[str, ...]) -> dict[str, bytes]:
    """Return the archive entry that holds a model's class names: content by name."""
    return {_CLASS_NAMES: (json.dumps(names, indent=2) + "\n").encode()}


def class_names_of(path: Path) -> tuple[str, ...] | None:
    """Return the names of the classes of the model at `path`, in the order of its outputs.

    None where the archive holds none: another program has written it.

    Raises:
        PipelineError: it cannot be read.
    """
    content = read_entry(path, _CLASS_NAMES)
    if content is None:
        return None
    try:
        return parse_class_names(content)
    except ValueError as error:
        raise unreadable(path, error) from None


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
    if image_shape(model, images.shape[1]) != images.shape[1:]:
        raise PipelineError(
            f"the model takes inputs of shape {tuple(model.input_shape[1:])}, and the images are "
            f"{images.shape[1:]}"
        )
    # Not model.predict: on NumPy arrays it starts a tf.data pipeline, whose autotuning thread
    # holds up the end of every pass.
    batch_size = images_at_once(model, batch_size)
    starts = range(0, len(images), batch_size)
    try:
        with ends_without_unwinding():
            batches = [model.predict_on_batch(images[at : at + batch_size]) for at in starts]
    # A model of others may fail in any of its layers, for instance on maps that became too small.
    except Exception as error:
        advice = advice_for(error, otherwise="name a model for such images")
        raise PipelineError(
            f"the model cannot be run on {min(batch_size, len(images))} images of shape "
            f"{images.shape[1:]} ({reason_of(error)}); {advice}"
        ) from None
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
