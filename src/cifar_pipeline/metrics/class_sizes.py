"""Sizes of classes: whether they are equal, and whether two parts have the same shares of them."""

from dataclasses import dataclass

import numpy as np

_NORMAL_99 = 2.3263478740408408  # the 99th percentile of the standard normal distribution


@dataclass(frozen=True)
class ShareDifference:
    """The class whose shares of two parts differ most: its label, and the two shares."""

    label: int
    first: float
    second: float


def are_unequal(labels: np.ndarray) -> bool:
    """Return whether the classes that occur among labels (N,) differ in size."""
    sizes = np.bincount(labels)
    return len(np.unique(sizes[sizes > 0])) > 1


def largest_class(labels: np.ndarray) -> tuple[int, float]:
    """Return the label of the largest class, the lowest of several, and its share of the images.

    The share is the accuracy of whoever always predicts that class.
    """
    sizes = np.bincount(labels)
    return int(sizes.argmax()), float(sizes.max() / len(labels))


def share_difference(first: np.ndarray, second: np.ndarray) -> ShareDifference | None:
    """Return where two parts differ most if they differ more than sampling explains, else None.

    The rule is Pearson's chi-square test of homogeneity at the level of 1 %. Its critical value is
    the approximation of Wilson and Hilferty, "The distribution of chi-square", 1931, which is
    within 1 %.

    Args:
        first: labels of a part, integers (N,), N at least 1.
        second: labels of another part, integers (M,), M at least 1.
    """
    classes = max(int(first.max()), int(second.max())) + 1
    sizes = np.stack([np.bincount(part, minlength=classes) for part in (first, second)])
    totals = sizes.sum(axis=0)
    freedom = np.count_nonzero(totals) - 1
    if not freedom:
        return None
    expected = np.outer(sizes.sum(axis=1), totals / totals.sum())[:, totals > 0]
    statistic = float((np.square(sizes[:, totals > 0] - expected) / expected).sum())
    variance = 2 / (9 * freedom)
    if statistic <= freedom * (1 - variance + _NORMAL_99 * variance**0.5) ** 3:
        return None
    shares = sizes / sizes.sum(axis=1, keepdims=True)
    label = int(np.abs(shares[0] - shares[1]).argmax())
    return ShareDifference(label, float(shares[0, label]), float(shares[1, label]))
