"""The galleries of the page: which test images they show, and with which predictions."""

import base64
import io
from dataclasses import dataclass

import numpy as np
from PIL import Image

from cifar_pipeline.evaluate.predictions import Predictions
from cifar_pipeline.metrics.classification import likeliest

SHOWN = 24
_TOP = 3


@dataclass(frozen=True)
class GalleryImage:
    """A test image with its label and its likeliest classes.

    Attributes:
        index: its index in the test split.
        source: the image as the address of a PNG that holds it (data:image/png;base64,...).
        label: the name of its class.
        top_classes: the likeliest classes by name with their probabilities, the likeliest first.
    """

    index: int
    source: str
    label: str
    top_classes: list[tuple[str, float]]


def as_png(image: np.ndarray) -> str:
    """Return an image, uint8 (H, W, 3), as an address that holds it as a PNG."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG")
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def most_confident_errors(predictions: Predictions, number: int = SHOWN) -> np.ndarray:
    """Return the indices of the misclassified images, int64 (K,), the most confident ones first.

    Args:
        predictions: of the test split.
        number: how many indices at most.
    """
    wrong = np.flatnonzero(predictions.predicted != predictions.labels)
    return wrong[np.argsort(-predictions.confidence[wrong], kind="stable")][:number]


def least_confident(predictions: Predictions, number: int = SHOWN) -> np.ndarray:
    """Return the indices of the images with the lowest confidence, int64 (K,), correct or not.

    Args:
        predictions: of the test split.
        number: how many indices at most.
    """
    return np.argsort(predictions.confidence, kind="stable")[:number]


def gallery_images(
    indices: np.ndarray, images: np.ndarray, predictions: Predictions
) -> list[GalleryImage]:
    """Return the test images with these indices, each with its likeliest classes.

    Args:
        indices: int64 (K,).
        images: the test split, uint8 (N, 32, 32, 3).
        predictions: of the test split.
    """
    names = predictions.names
    found = []
    for index in map(int, indices):
        top_classes = top_of(predictions.probabilities[index], names)
        label = names[predictions.labels[index]]
        found.append(GalleryImage(index, as_png(images[index]), label, top_classes))
    return found


def top_of(probabilities: np.ndarray, names: tuple[str, ...]) -> list[tuple[str, float]]:
    """Return the three likeliest classes by name with their probabilities, the likeliest first.

    Args:
        probabilities: of one image, float32 (classes,).
        names: the names of the classes.
    """
    return [(names[at], float(probabilities[at])) for at in likeliest(probabilities, _TOP)]
