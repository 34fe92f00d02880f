"""The page's pictures of test images: which ones, and as what."""

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
class Picture:
    """A test image and what the model says of it.

    Attributes:
        index: in the test split.
        source: the PNG as an address that holds it (data:image/png;base64,...).
        label: the name of its class.
        guesses: the likeliest classes by name with their probabilities, the likeliest first.
    """

    index: int
    source: str
    label: str
    guesses: list[tuple[str, float]]


def as_png(image: np.ndarray) -> str:
    """Return uint8 (H, W, 3) as a data address of a PNG."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG")
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def confident_mistakes(predictions: Predictions, number: int = SHOWN) -> np.ndarray:
    """Return the indices of the mistakes with the greatest confidence, the worst first."""
    wrong = np.flatnonzero(predictions.predicted != predictions.labels)
    return wrong[np.argsort(-predictions.confidence[wrong], kind="stable")][:number]


def least_certain(predictions: Predictions, number: int = SHOWN) -> np.ndarray:
    """Return the indices of the images with the least confidence, right or wrong."""
    return np.argsort(predictions.confidence, kind="stable")[:number]


def pictures(indices: np.ndarray, images: np.ndarray, predictions: Predictions) -> list[Picture]:
    """Return the test images with these indices, each with its likeliest classes.

    Args:
        indices: int64 (K,).
        images: the test split, uint8 (N, 32, 32, 3).
        predictions: of that split.
    """
    names = predictions.names
    found = []
    for index in map(int, indices):
        shares = predictions.probabilities[index]
        guesses = [(names[at], float(shares[at])) for at in likeliest(shares, _TOP)]
        label = names[predictions.labels[index]]
        found.append(Picture(index, as_png(images[index]), label, guesses))
    return found
