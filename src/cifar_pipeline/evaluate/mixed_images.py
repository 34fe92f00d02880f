"""Mixed images: what softmax says of an image with features of two classes.

Every pair of classes lends images that the model classifies rightly. Two of them are blended, from
one to the other, and joined to a collage: the left half of one and the right half of the other.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from cifar_pipeline.metrics.classification import likeliest

ALPHAS = np.linspace(0, 1, 21)  # the share of the second image
PAIRS_EACH = 10  # images of one class that meet one of the other, at most
MOST_PAIRS = 500  # in all: of 256 classes, ten each would be 326,400

Predict = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Parents:
    """Indices into the test split of two images, and their classes."""

    first: int
    second: int
    classes: tuple[int, int]


@dataclass(frozen=True)
class Sweep:
    """What the model says along a blend of two images.

    Attributes:
        parents: the two images.
        blends: uint8 (len(ALPHAS), 32, 32, 3), from the first to the second.
        probabilities: of the blends, float32 (len(ALPHAS), classes).
        collage: uint8 (32, 32, 3).
        of_collage: the collage's probabilities, float32 (classes,).
    """

    parents: Parents
    blends: np.ndarray
    probabilities: np.ndarray
    collage: np.ndarray
    of_collage: np.ndarray


@dataclass(frozen=True)
class TopTwo:
    """Of `number` mixed images: how often both parents are the two likeliest classes, and one."""

    number: int
    both: int
    likeliest: int  # a parent is the likeliest class
    confidence: float  # mean probability of the likeliest class


def blended(first: np.ndarray, second: np.ndarray, alpha: float) -> np.ndarray:
    """Return (1 - alpha) first + alpha second, rounded; uint8 (..., 32, 32, 3) as both are."""
    return np.rint((1 - alpha) * first.astype(np.float64) + alpha * second).astype(np.uint8)


def collage(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the left half of the first beside the right half of the second; shapes as above."""
    middle = first.shape[-2] // 2
    return np.concatenate([first[..., :middle, :], second[..., middle:, :]], axis=-2)


def choose_parents(
    labels: np.ndarray,
    predicted: np.ndarray,
    classes: int,
    each: int = PAIRS_EACH,
    most: int = MOST_PAIRS,
) -> list[Parents]:
    """Return `each` pairs of images for every pair of classes, or as many as there are.

    Fewer of each where that would be more than `most`, and of still more pairs of classes every
    second, third or so.

    The first images of each class, in the order of the split, that the model classifies rightly:
    of a wrong one there is no parent to find again.

    Args:
        labels: uint8 (N,).
        predicted: int64 (N,).
        classes: their number.
        each: how many pairs of images.
        most: of these in all.
    """
    pairs = list(combinations(range(classes), 2))
    each = max(1, min(each, most // len(pairs)))
    pairs = pairs[:: -(-len(pairs) // most)]
    right = [
        np.flatnonzero((labels == kind) & (predicted == kind))[:each] for kind in range(classes)
    ]
    return [
        Parents(int(first), int(second), (one, other))
        for one, other in pairs
        for first, second in zip(right[one], right[other], strict=False)
    ]


def top_two(probabilities: np.ndarray, parents: list[Parents]) -> TopTwo:
    """Count how often the parents of mixed images are found, by probabilities (N, classes)."""
    classes = np.array([pair.classes for pair in parents])
    top = likeliest(probabilities, 2)
    return TopTwo(
        number=len(parents),
        both=int((np.sort(top, axis=1) == np.sort(classes, axis=1)).all(axis=1).sum()),
        likeliest=int((top[:, :1] == classes).any(axis=1).sum()),
        confidence=float(probabilities.max(axis=1).mean()),
    )


def judge(predict: Predict, images: np.ndarray, parents: list[Parents]) -> tuple[TopTwo, TopTwo]:
    """Return how often parents are found in blends of halves, and in collages.

    Args:
        predict: gives probabilities, float32 (N, classes), of uint8 images (N, 32, 32, 3).
        images: the test split, uint8 (N, 32, 32, 3).
        parents: the pairs.
    """
    first = images[[pair.first for pair in parents]]
    second = images[[pair.second for pair in parents]]
    halves = predict(blended(first, second, 0.5))
    return top_two(halves, parents), top_two(predict(collage(first, second)), parents)


def sweep(predict: Predict, images: np.ndarray, parents: Parents) -> Sweep:
    """Return what the model says along the blend of two images; arguments as in `judge`."""
    first, second = images[parents.first], images[parents.second]
    blends = np.stack([blended(first, second, float(alpha)) for alpha in ALPHAS])
    joined = collage(first, second)
    answers = predict(np.concatenate([blends, joined[None]]))
    return Sweep(parents, blends, answers[:-1], joined, answers[-1])
