"""Predict the classes of picture files, a batch at a time."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from cifar_pipeline.common.console import complain
from cifar_pipeline.common.errors import PipelineError
from cifar_pipeline.dataset.decoding import Decoding, Fit
from cifar_pipeline.evaluate.thresholds import OperatingPoint, read_operating_point
from cifar_pipeline.images.decoding import decode_picture
from cifar_pipeline.images.paths import PictureError
from cifar_pipeline.metrics.calibration import at_temperature
from cifar_pipeline.metrics.classification import likeliest
from cifar_pipeline.trained_model.class_names import names_for
from cifar_pipeline.trained_model.classifier import require_colour_images
from cifar_pipeline.trained_model.decoding import load_decoding
from cifar_pipeline.trained_model.keras_file import load_saved_model
from cifar_pipeline.trained_model.ood_statistics import load_ood_statistics
from cifar_pipeline.trained_model.outputs import feature_extractor, predict_outputs

# So many files, of however many, are in memory at a time.
BATCH_SIZE = 64


@dataclass(frozen=True)
class OodCheck:
    """The OOD score of one picture, and the operating point of the model."""

    score: float
    operating_point: OperatingPoint

    @property
    def out_of_distribution(self) -> bool:
        """Whether the picture gets a warning."""
        return self.score < self.operating_point.threshold


@dataclass(frozen=True)
class Prediction:
    """A model's prediction for one picture.

    Args:
        name: the file.
        classes: names and probabilities, the likeliest first; equal ones in the model's order.
        temperature: of the probabilities; None: they are the model's own.
        ood: None where the model has no operating point.
    """

    name: str
    classes: tuple[tuple[str, float], ...]
    temperature: float | None
    ood: OodCheck | None


class Predictor:
    """A saved model, its classes and, where there is one, its operating point.

    Args:
        model: the .keras archive. Where it tells no names of its classes, one line on standard
            error says what they are called instead.
        operating_point: the JSON file of evaluate. Where it is missing or not of this model, one
            line on standard error says so, and predictions have no temperature and no OOD warning.
        raw: whether to leave the probabilities as the model gives them.

    Attributes:
        classes: their number.
        decoding: how pictures become images.

    Raises:
        PipelineError: there is no model, it cannot be loaded, or it is none for pictures.
    """

    def __init__(self, model: Path, operating_point: Path, raw: bool = False) -> None:
        network = load_saved_model(model)
        require_colour_images(network)
        self._class_names = names_for(model, network)
        self.decoding = load_decoding(model, network)
        self._extractor = feature_extractor(network, load_ood_statistics(model))
        self._operating_point: OperatingPoint | None = None
        try:
            self._operating_point = read_operating_point(
                operating_point, model, self._extractor.score_name
            )
        except PipelineError as error:
            complain(
                "warning: probabilities are not temperature-scaled, and no picture is checked for "
                f"being out of distribution: {error}"
            )
        self.classes = len(self._class_names)
        self._temperature = None
        if self._operating_point and not raw:
            self._temperature = self._operating_point.temperature

    def predict(self, names: list[str], images: np.ndarray, top: int) -> Iterator[Prediction]:
        """Yield the `top` classes of each image.

        Args:
            names: the files of the images.
            images: uint8 (N, size, size, 3), of `decoding`, N at least 1.
            top: how many classes; all of them if the model has fewer.

        Raises:
            PipelineError: the model does not answer probabilities of such images.
        """
        outputs = predict_outputs(self._extractor, images, BATCH_SIZE)
        probabilities = outputs.probabilities
        if self._temperature:
            probabilities = at_temperature(outputs.logits, self._temperature)
        for name, row, score in zip(names, probabilities, outputs.ood_scores, strict=True):
            ood = OodCheck(float(score), self._operating_point) if self._operating_point else None
            labels = likeliest(row, top)
            classes = tuple((self._class_names[label], float(row[label])) for label in labels)
            yield Prediction(name, classes, self._temperature, ood)


def predict_files(
    found: Iterable[str | PictureError], predictor: Predictor, fit: Fit | None, top: int
) -> Iterator[Prediction | PictureError]:
    """Yield what the model says of every file, or the error of the file, in their order.

    Errors also go to standard error, as soon as they are met.

    Args:
        found: files, and errors of arguments that name none, from `expand`.
        predictor: the model.
        fit: what becomes of pictures that are not square; None: what became of the training images.
        top: see `Predictor.predict`.

    Raises:
        PipelineError: the model does not answer probabilities of such images.
    """
    remaining = iter(found)
    decoding = predictor.decoding._replace(fit=fit or predictor.decoding.fit)
    while batch := [_decoded(item, decoding) for item in islice(remaining, BATCH_SIZE)]:
        pictures = [item for item in batch if not isinstance(item, PictureError)]
        predictions: Iterator[Prediction] = iter(())
        if pictures:
            names, images = zip(*pictures, strict=True)
            predictions = predictor.predict(list(names), np.stack(images), top)
        for item in batch:
            yield item if isinstance(item, PictureError) else next(predictions)


def _decoded(item: str | PictureError, decoding: Decoding) -> tuple[str, np.ndarray] | PictureError:
    try:
        if isinstance(item, PictureError):
            raise item
        return item, decode_picture(item, decoding)
    except PictureError as error:
        complain(f"error: {error}")
        return error
