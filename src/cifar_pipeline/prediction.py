"""Predict the classes of picture files, a batch at a time."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from cifar_pipeline.command import complain
from cifar_pipeline.errors import PipelineError
from cifar_pipeline.familiarity import Calibration, read_calibration
from cifar_pipeline.familiarity_statistics import load_familiarity_statistics
from cifar_pipeline.picture_decoding import decode_picture
from cifar_pipeline.picture_files import Fit, PictureError
from cifar_pipeline.probe import predict_outputs, probe_of
from cifar_pipeline.saved_model import (
    check_classes,
    load_class_names,
    load_saved_model,
)

# So many files, of however many, are in memory at a time.
BATCH_SIZE = 64


@dataclass(frozen=True)
class Familiarity:
    """How familiar one picture looks to a model, by the calibration of that model."""

    score: float
    calibration: Calibration

    @property
    def unfamiliar(self) -> bool:
        """Whether the picture gets a warning."""
        return self.score < self.calibration.threshold


@dataclass(frozen=True)
class Prediction:
    """What a model says of one picture.

    Args:
        name: the file.
        classes: names and probabilities, the likeliest first; equal ones in the model's order.
        familiarity: None where nothing tells what is familiar to this model.
    """

    name: str
    classes: tuple[tuple[str, float], ...]
    familiarity: Familiarity | None


class Predictor:
    """A saved model, its classes and, where there is one, the calibration of its familiarity.

    Args:
        model: the .keras archive.
        calibration: the JSON file of evaluate. Where it is missing or not of this model, one line
            on standard error says so, and the predictions have no familiarity.

    Raises:
        PipelineError: there is no model or it cannot be loaded.
    """

    def __init__(self, model: Path, calibration: Path) -> None:
        network = load_saved_model(model)
        self._class_names = load_class_names(model)
        check_classes(network, self._class_names)
        self._probe = probe_of(network, load_familiarity_statistics(model))
        self._calibration: Calibration | None = None
        try:
            self._calibration = read_calibration(calibration, model, self._probe.score_name)
        except PipelineError as error:
            complain(f"warning: cannot tell which pictures are unfamiliar: {error}")

    def predict(self, names: list[str], images: np.ndarray, top: int) -> Iterator[Prediction]:
        """Yield the `top` classes of each image.

        Args:
            names: the files of the images.
            images: uint8 (N, 32, 32, 3), N at least 1.
            top: how many classes; all of them if the model has fewer.

        Raises:
            PipelineError: the model does not answer probabilities of such images.
        """
        outputs = predict_outputs(self._probe, images, BATCH_SIZE)
        likeliest = np.argsort(-outputs.probabilities, axis=1, kind="stable")[:, :top]
        for name, row, labels, score in zip(
            names, outputs.probabilities, likeliest, outputs.familiarity, strict=True
        ):
            known = self._calibration
            familiarity = Familiarity(float(score), known) if known else None
            classes = tuple((self._class_names[label], float(row[label])) for label in labels)
            yield Prediction(name, classes, familiarity)


def predict_files(
    found: Iterable[str | PictureError], model: Path, calibration: Path, fit: Fit, top: int
) -> Iterator[Prediction | PictureError]:
    """Yield what the model says of every file, or the error of the file, in their order.

    Errors also go to standard error, as soon as they are met. The model is loaded when the first
    picture has been decoded, and once.

    Args:
        found: files, and errors of arguments that name none, from `expand`.
        model: see `Predictor`.
        calibration: see `Predictor`.
        fit: see `decode_picture`.
        top: see `Predictor.predict`.

    Raises:
        PipelineError: the model cannot be used.
    """
    predictor = None
    remaining = iter(found)
    while batch := [_decoded(item, fit) for item in islice(remaining, BATCH_SIZE)]:
        pictures = [item for item in batch if not isinstance(item, PictureError)]
        predictions: Iterator[Prediction] = iter(())
        if pictures:
            predictor = predictor or Predictor(model, calibration)
            names, images = zip(*pictures, strict=True)
            predictions = predictor.predict(list(names), np.stack(images), top)
        for item in batch:
            yield item if isinstance(item, PictureError) else next(predictions)


def _decoded(item: str | PictureError, fit: Fit) -> tuple[str, np.ndarray] | PictureError:
    try:
        if isinstance(item, PictureError):
            raise item
        return item, decode_picture(item, fit)
    except PictureError as error:
        complain(f"error: {error}")
        return error
