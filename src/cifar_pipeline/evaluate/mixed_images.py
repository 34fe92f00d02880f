"""Mixed images: the probabilities that a model predicts for images with features of two classes.

A mixed image is made of two test images that the model classifies correctly, one of each class. A
blend is the weighted mean of their pixels. Source: Zhang, Cisse, Dauphin, Lopez-Paz, "mixup:
Beyond Empirical Risk Minimization", ICLR 2018. A collage is the left half of one beside the right
half of the other. Source: Yun, Han, Oh, Chun, Choe, Yoo, "CutMix: Regularization Strategy to Train
Strong Classifiers with Localizable Features", ICCV 2019.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from cifar_pipeline.evaluate.predictions import Predictions
from cifar_pipeline.metrics.classification import likeliest

ALPHAS = np.linspace(0, 1, 21)  # weights of the second image
PAIRS_EACH = 10  # pairs of images for each pair of classes, at most
MOST_PAIRS = 500  # in all: with 256 classes, ten each would be 326,400
# The pairs of classes that the page interpolates between: the article of 2017 asks for the first.
_SHOWN_CLASSES = (
    ("dog", "airplane"),
    ("cat", "dog"),
    ("automobile", "truck"),
    ("bird", "airplane"),
    ("deer", "horse"),
    ("frog", "ship"),
)

Predict = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class SourcePair:
    """The two source images of a mixed image: their indices in the test split, their classes."""

    first: int
    second: int
    classes: tuple[int, int]


@dataclass(frozen=True)
class Interpolation:
    """The probabilities for the blends from one image to another, and for their collage.

    Attributes:
        sources: the two images.
        blends: uint8 (len(ALPHAS), 32, 32, 3), from the first image to the second.
        probabilities: of the blends, float32 (len(ALPHAS), classes).
        collage: uint8 (32, 32, 3).
        collage_probabilities: of the collage, float32 (classes,).
    """

    sources: SourcePair
    blends: np.ndarray
    probabilities: np.ndarray
    collage: np.ndarray
    collage_probabilities: np.ndarray


@dataclass(frozen=True)
class MixtureScores:
    """How often the classes of the source images are found in mixed images.

    Attributes:
        number: of mixed images.
        both_in_top_two: the number whose two likeliest classes are those of the source images.
        predicted_is_source: the number whose predicted class is that of a source image.
        mean_confidence: the mean probability of the predicted class.
    """

    number: int
    both_in_top_two: int
    predicted_is_source: int
    mean_confidence: float


@dataclass(frozen=True)
class MixedImages:
    """The scores of blends with equal weights and of collages, and interpolations to be shown."""

    blends: MixtureScores
    collages: MixtureScores
    interpolations: list[Interpolation]


def evaluate_mixed_images(
    predict: Predict, images: np.ndarray, predictions: Predictions
) -> MixedImages | None:
    """Mix test images and score the probabilities that the model predicts for them.

    Args:
        predict: returns probabilities, float32 (N, classes), for uint8 images (N, 32, 32, 3).
        images: the test split, uint8 (N, 32, 32, 3).
        predictions: of the test split.

    Returns:
        None if the model classifies images of fewer than two classes correctly.
    """
    pairs = choose_pairs(predictions.labels, predictions.predicted, len(predictions.names))
    if not pairs:
        return None
    blends, collages = score_mixtures(predict, images, pairs)
    shown = [interpolate(predict, images, pair) for pair in most_confident_pairs(predictions)]
    return MixedImages(blends, collages, shown)


def blend(first: np.ndarray, second: np.ndarray, alpha: float) -> np.ndarray:
    """Return (1 - alpha) first + alpha second, rounded; uint8 (..., 32, 32, 3) like its arguments.

    Args:
        first: uint8 (..., 32, 32, 3).
        second: uint8, of the same shape.
        alpha: the weight of the second image, from 0 to 1.
    """
    return np.rint((1 - alpha) * first.astype(np.float64) + alpha * second).astype(np.uint8)


def collage(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the left half of `first` beside the right half of `second`; shapes as in `blend`."""
    middle = first.shape[-2] // 2
    return np.concatenate([first[..., :middle, :], second[..., middle:, :]], axis=-2)


def choose_pairs(
    labels: np.ndarray,
    predicted: np.ndarray,
    classes: int,
    each: int = PAIRS_EACH,
    most: int = MOST_PAIRS,
) -> list[SourcePair]:
    """Return pairs of source images for every pair of classes.

    A class contributes its first images, in the order of the split, that the model classifies
    correctly: of a misclassified image no class could be found again.

    Args:
        labels: uint8 (N,).
        predicted: the predicted classes, int64 (N,).
        classes: the number of classes.
        each: how many pairs of images for each pair of classes, if there are as many.
        most: how many pairs of images in all. If `each` would give more, it is lowered, down to 1;
            if that is still too many, every second, third, ... pair of classes is used.
    """
    pairs = list(combinations(range(classes), 2))
    each = max(1, min(each, most // len(pairs)))
    pairs = pairs[:: -(-len(pairs) // most)]
    correct = [
        np.flatnonzero((labels == label) & (predicted == label))[:each] for label in range(classes)
    ]
    return [
        SourcePair(int(first), int(second), (one, other))
        for one, other in pairs
        for first, second in zip(correct[one], correct[other], strict=False)
    ]


def most_confident_pairs(predictions: Predictions) -> list[SourcePair]:
    """Return a pair of source images for each of the interpolations that the page shows.

    Of each class it is the correctly classified image with the highest confidence.
    """
    is_correct = predictions.predicted == predictions.labels
    names, best = predictions.names, {}
    for label, name in enumerate(names):
        of_class = is_correct & (predictions.labels == label)
        confidence = np.where(of_class, predictions.confidence, 0)
        if confidence.any():
            best[name] = int(confidence.argmax())
    known = [pair for pair in _SHOWN_CLASSES if set(pair) <= set(best)]
    # Classes other than CIFAR-10's are not listed: the first pairs will do.
    pairs: dict[frozenset[str], tuple[str, str]] = {}
    for pair in (*known, *combinations(best, 2)):
        pairs.setdefault(frozenset(pair), pair)
    return [
        SourcePair(best[one], best[other], (names.index(one), names.index(other)))
        for one, other in list(pairs.values())[: len(_SHOWN_CLASSES)]
    ]


def score_probabilities(probabilities: np.ndarray, pairs: list[SourcePair]) -> MixtureScores:
    """Return the scores of mixed images, one for each pair, by probabilities (N, classes)."""
    classes = np.array([pair.classes for pair in pairs])
    top = likeliest(probabilities, 2)
    both = (np.sort(top, axis=1) == np.sort(classes, axis=1)).all(axis=1)
    return MixtureScores(
        number=len(pairs),
        both_in_top_two=int(both.sum()),
        predicted_is_source=int((top[:, :1] == classes).any(axis=1).sum()),
        mean_confidence=float(probabilities.max(axis=1).mean()),
    )


def score_mixtures(
    predict: Predict, images: np.ndarray, pairs: list[SourcePair]
) -> tuple[MixtureScores, MixtureScores]:
    """Return the scores of the pairs' blends with equal weights, and of their collages.

    Args:
        predict: returns probabilities, float32 (N, classes), for uint8 images (N, 32, 32, 3).
        images: the test split, uint8 (N, 32, 32, 3).
        pairs: the source images.
    """
    first = images[[pair.first for pair in pairs]]
    second = images[[pair.second for pair in pairs]]
    blends = predict(blend(first, second, 0.5))
    collages = predict(collage(first, second))
    return score_probabilities(blends, pairs), score_probabilities(collages, pairs)


def interpolate(predict: Predict, images: np.ndarray, pair: SourcePair) -> Interpolation:
    """Return the probabilities along the blends of a pair; arguments as in `score_mixtures`."""
    first, second = images[pair.first], images[pair.second]
    blends = np.stack([blend(first, second, float(alpha)) for alpha in ALPHAS])
    joined = collage(first, second)
    probabilities = predict(np.concatenate([blends, joined[None]]))
    return Interpolation(pair, blends, probabilities[:-1], joined, probabilities[-1])
