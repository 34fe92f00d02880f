"""Left and right: would mirrored images of a class be of another one?

The question is asked of a probe, which learns in seconds: are images that it has not seen told
apart worse once it has learnt from mirrored copies too? For photographs they are told apart better.
"""

import math
from typing import Final, NamedTuple

import numpy as np

SIDE: Final = 16  # of the probe's images in pixels
MOST_IMAGES: Final = 10_000
FEWEST_IMAGES: Final = 40  # with fewer nothing could be significant but by the crudest differences
LEVEL: Final = 0.01  # of significance
# Fewer points of accuracy are worth what flips add; of a single class, chosen among all, more.
LEAST_LOSS: Final = 0.03
LEAST_LOSS_OF_CLASS: Final = 0.15

_FOLDS = 5
_SEED = 2017
_CELLS, _ORIENTATIONS, _COLOUR_CELLS = 4, 8, 8
_GRADIENT_WEIGHT = 3.0  # beside colours; regularisation makes little of either
_RIDGE = 0.1  # of the mean variance of a feature, for each image


class MirrorTest(NamedTuple):
    """How well the probe tells held-out images apart.

    Attributes:
        matters: whether left and right do.
        images: their number.
        accuracy: as they are.
        mirrored: of the same images mirrored.
        with_copies: as they are, by a probe that learnt from mirrored copies too.
        classes: the classes that lose by mirrored copies, by label: the worst first.
    """

    matters: bool
    images: int
    accuracy: float
    mirrored: float
    with_copies: float
    classes: tuple[int, ...]


def mirror_test(images: np.ndarray, labels: np.ndarray) -> MirrorTest | None:
    """Find out whether mirrored copies of training images would spoil their classes.

    A ridge regression on gradients and colours is cross-validated. Left and right matter where
    mirrored copies of the training folds lower the accuracy by `LEAST_LOSS` or more, or that of a
    single class by `LEAST_LOSS_OF_CLASS`, and McNemar's exact one-sided test finds it significant
    at `LEVEL` (of single classes divided by their number, as Bonferroni's correction has it).

    Args:
        images: training images alone, uint8 (N, SIDE, SIDE, 3).
        labels: uint8 (N,).

    Returns:
        None where there are too few images to say.
    """
    images, labels = images[:MOST_IMAGES], labels[:MOST_IMAGES].astype(np.int64)
    if len(labels) < FEWEST_IMAGES or len(np.unique(labels)) < 2:
        return None
    right, mirrored, doubled = _cross_validated(
        features(images), features(images[:, :, ::-1]), labels
    )
    lost = float(right.mean() - doubled.mean())
    overall = lost >= LEAST_LOSS and p_of_loss(right, doubled) < LEVEL
    classes = _losing_classes(right, doubled, labels)
    return MirrorTest(
        bool(overall or classes),
        len(labels),
        float(right.mean()),
        float(mirrored.mean()),
        float(doubled.mean()),
        classes,
    )


def p_of_loss(before: np.ndarray, after: np.ndarray) -> float:
    """Return the probability of so great a loss by chance: McNemar's exact one-sided test.

    Of the images whose answers differ, as many would get better as get worse.

    Args:
        before: which answers were right, bool (N,).
        after: likewise.
    """
    lost, won = int((before & ~after).sum()), int((after & ~before).sum())
    number = lost + won
    # In whole numbers of any size: exact but for the division.
    ways, tail = math.comb(number, lost), 0
    for count in range(lost, number + 1):
        tail += ways
        ways = ways * (number - count) // (count + 1)
    return tail / 2**number


def _losing_classes(right: np.ndarray, doubled: np.ndarray, labels: np.ndarray) -> tuple[int, ...]:
    present = np.unique(labels)
    losses = {}
    for label in present.tolist():
        before, after = right[labels == label], doubled[labels == label]
        loss = float(before.mean() - after.mean())
        if loss >= LEAST_LOSS_OF_CLASS and p_of_loss(before, after) < LEVEL / len(present):
            losses[label] = loss
    return tuple(sorted(losses, key=lambda label: -losses[label]))


def _cross_validated(
    as_is: np.ndarray, mirrored: np.ndarray, labels: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return which held-out images are told right, thrice bool (N,), as `MirrorTest` has it."""
    folds = _folds(labels)
    targets = np.eye(int(labels.max()) + 1, dtype=np.float32)[labels]
    right = np.zeros((3, len(labels)), bool)
    for fold in range(_FOLDS):
        rest, held = folds != fold, folds == fold
        plain = _fitted(as_is[rest], targets[rest])
        both = _fitted(
            np.concatenate([as_is[rest], mirrored[rest]]), np.concatenate([targets[rest]] * 2)
        )
        for row, (probe, of) in enumerate(((plain, as_is), (plain, mirrored), (both, as_is))):
            weights, offsets = probe
            right[row, held] = (of[held] @ weights + offsets).argmax(axis=1) == labels[held]
    return right[0], right[1], right[2]


def _folds(labels: np.ndarray) -> np.ndarray:
    """Return the fold of each image, int (N,): of each class as many in each, by chance."""
    stream = np.random.Generator(np.random.PCG64(_SEED))
    folds = np.zeros(len(labels), np.int64)
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        folds[members] = (stream.permutation(len(members)) + stream.integers(_FOLDS)) % _FOLDS
    return folds


def _fitted(values: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return weights and offsets of a ridge regression."""
    mean, target_mean = values.mean(axis=0), targets.mean(axis=0)
    centred = values - mean
    gram = centred.T @ centred
    gram[np.diag_indices_from(gram)] += _RIDGE * np.trace(gram) / len(gram) + 1e-6
    weights = np.linalg.solve(gram, centred.T @ (targets - target_mean))
    return weights, target_mean - mean @ weights


def features(images: np.ndarray) -> np.ndarray:
    """Return what the probe sees: histograms of gradients (Dalal and Triggs, 2005), and colours.

    Args:
        images: uint8 (N, SIDE, SIDE, 3).

    Returns:
        float32 (N, 320): of 4 x 4 cells the square roots of 8 directions, light to dark unlike
        dark to light, scaled to length 3; and 8 x 8 colours from 0 to 1.
    """
    number, step = len(images), SIDE // _COLOUR_CELLS
    colours = images.reshape(number, _COLOUR_CELLS, step, _COLOUR_CELLS, step, 3).mean((2, 4))
    return np.concatenate(
        [
            _GRADIENT_WEIGHT * _gradient_histograms(images),
            colours.reshape(number, -1).astype(np.float32) / 255,
        ],
        axis=1,
    )


def _gradient_histograms(images: np.ndarray) -> np.ndarray:
    """Return histograms of unit length, float32 (N, 128)."""
    pixels = images.astype(np.float32)
    down, right = np.zeros_like(pixels), np.zeros_like(pixels)
    down[:, 1:-1] = pixels[:, 2:] - pixels[:, :-2]
    right[:, :, 1:-1] = pixels[:, :, 2:] - pixels[:, :, :-2]
    strongest = np.hypot(down, right).argmax(axis=-1)[..., None]  # of the three colours
    down, right = (np.take_along_axis(each, strongest, -1)[..., 0] for each in (down, right))
    strength = np.hypot(down, right)
    # Between two directions a gradient counts for both.
    place = np.arctan2(down, right) / (2 * np.pi) * _ORIENTATIONS % _ORIENTATIONS
    lower = np.floor(place)
    share = place - lower
    found = np.zeros((*strength.shape, _ORIENTATIONS), np.float32)
    first = lower.astype(np.int64)[..., None] % _ORIENTATIONS
    np.put_along_axis(found, first, (strength * (1 - share))[..., None], -1)
    np.put_along_axis(found, (first + 1) % _ORIENTATIONS, (strength * share)[..., None], -1)
    cell = SIDE // _CELLS
    cells = found.reshape(len(images), _CELLS, cell, _CELLS, cell, _ORIENTATIONS).sum((2, 4))
    roots = np.sqrt(cells.reshape(len(images), -1))
    return roots / np.maximum(np.linalg.norm(roots, axis=1, keepdims=True), 1e-6)
