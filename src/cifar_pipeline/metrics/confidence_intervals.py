"""95 % confidence intervals of metrics: how far N test images may lead from the true value."""

from collections.abc import Callable

import numpy as np

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
