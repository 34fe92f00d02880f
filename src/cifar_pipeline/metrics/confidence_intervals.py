"""95 % confidence intervals of metrics: how far N test images may lead from the true value."""

from collections.abc import Callable

import numpy as np

from cifar_pipeline.metrics.confusion import matrix_of
from cifar_pipeline.metrics.loss_and_accuracy import hits_by_class

_NORMAL = 1.959963984540054  # the 97.5th percentile of the standard normal distribution

Interval = tuple[float, float]
# Of probabilities, float32 (N, classes), and labels, uint8 (N,): one value an image, (N,), or the
# interval of a metric.
ImageValues = Callable[[np.ndarray, np.ndarray], np.ndarray]
IntervalFunction = Callable[[np.ndarray, np.ndarray], Interval]


def wilson_interval(hits: int, number: int) -> Interval:
    """Return the interval of a proportion, such as the accuracy: `hits` of `number`, at least 1.

    Source: Wilson, "Probable inference, the law of succession, and statistical inference", 1927.
    """
    rate, square = hits / number, _NORMAL**2
    middle = (rate + square / (2 * number)) / (1 + square / number)
    spread = np.sqrt(rate * (1 - rate) / number + square / (4 * number**2))
    reach = _NORMAL * float(spread) / (1 + square / number)
    return max(0.0, middle - reach), min(1.0, middle + reach)


def balanced_accuracy_interval(probabilities: np.ndarray, labels: np.ndarray) -> Interval:
    """Return the interval of `balanced_accuracy`, of images sampled class by class.

    Each recall has Wilson's interval, from l to u, and recalls of different classes are independent
    of each other: the mean m of K recalls r has m - sqrt(sum (r - l)^2) / K and likewise upwards.
    Unlike the normal approximation it has a width where a small class is wholly right. Source: Zou,
    Huang and Zhang, "A note on confidence interval estimation for a linear function of binomial
    proportions", 2009.
    """
    hits, sizes = hits_by_class(probabilities, labels)
    return _mean_of(hits / sizes, _wilson_intervals(hits, sizes), np.eye(len(sizes)))


def macro_f1_interval(probabilities: np.ndarray, labels: np.ndarray) -> Interval:
    """Return the interval of `macro_f1`.

    The F1 of a class is 2 j / (1 + j), where j is the share of right ones among the images that are
    of the class or are taken for it. It has Wilson's interval, carried over to F1. Those of the
    classes are combined as in `balanced_accuracy_interval`, but an error between two classes lowers
    the F1 of both, so these correlate; the correlations are those of the delta method. Sources:
    Zou and Donner, "Construction of confidence limits about effect measures", 2008; Takahashi et
    al., "Confidence interval for micro-averaged F1 and macro-averaged F1 scores", 2022.
    """
    matrix = matrix_of(probabilities, labels)
    occurs = (matrix.sum(axis=0) + matrix.sum(axis=1)) > 0
    matrix = matrix[occurs][:, occurs]
    right = matrix.diagonal()
    either = matrix.sum(axis=0) + matrix.sum(axis=1) - right  # of the class, or taken for it
    f1 = 2 * right / (either + right)
    shares = _wilson_intervals(right, either)
    # By counts, the derivative of F1 is 2 (1 - F1) / s where the class is right, and -F1 / s at
    # each of its errors; s = either + right.
    at_right, at_errors = 2 * (1 - f1) / (either + right), f1 / (either + right)
    covariance = (matrix + matrix.T) * np.outer(at_errors, at_errors)
    variance = right * at_right**2 + (either - right) * at_errors**2
    np.fill_diagonal(covariance, variance)
    deviation = np.sqrt(np.where(variance > 0, variance, np.inf))
    correlation = covariance / np.outer(deviation, deviation)
    np.fill_diagonal(correlation, 1.0)
    return _mean_of(f1, 2 * shares / (1 + shares), correlation)


def _wilson_intervals(hits: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """Return Wilson's interval of each proportion, float64 (K, 2)."""
    pairs = zip(hits.tolist(), numbers.tolist(), strict=True)
    return np.array([wilson_interval(part, whole) for part, whole in pairs])


def _mean_of(values: np.ndarray, intervals: np.ndarray, correlation: np.ndarray) -> Interval:
    """Return the interval of the mean of `values` (K,), each with its own, float64 (K, 2)."""
    reach = np.abs(intervals.T - values)
    low, high = (float(np.sqrt(side @ correlation @ side)) / len(values) for side in reach)
    mean = float(np.mean(values))
    return max(0.0, mean - low), min(1.0, mean + high)  # but for rounding they are within


def mean_interval(values: np.ndarray) -> Interval:
    """Return the interval of the mean of `values` (N,), N at least 2, by the central limit theorem.

    It is the mean plus and minus 1.96 standard errors.
    """
    mean = float(np.mean(values))
    reach = _NORMAL * float(np.std(values, ddof=1) / np.sqrt(len(values)))
    return mean - reach, mean + reach


def interval_of_proportion(hits: ImageValues) -> IntervalFunction:
    """Return the interval of a metric that is the fraction of images for which `hits` is true."""

    def interval(probabilities: np.ndarray, labels: np.ndarray) -> Interval:
        found = hits(probabilities, labels)
        return wilson_interval(int(found.sum()), len(found))

    return interval


def interval_of_mean(values: ImageValues) -> IntervalFunction:
    """Return the interval of a metric that is the mean of `values` over the images."""

    def interval(probabilities: np.ndarray, labels: np.ndarray) -> Interval:
        return mean_interval(values(probabilities, labels))

    return interval
