"""How far a score of N test images may be from that of all such images: 95 % intervals."""

import numpy as np

_NORMAL = 1.959963984540054  # the 97.5th percentile of the standard normal distribution

Interval = tuple[float, float]


def wilson_interval(hits: int, number: int) -> Interval:
    """Return the interval of a rate, such as the accuracy: `hits` of `number`, at least 1.

    Source: Wilson, "Probable inference, the law of succession, and statistical inference", 1927.
    """
    rate, square = hits / number, _NORMAL**2
    middle = (rate + square / (2 * number)) / (1 + square / number)
    spread = np.sqrt(rate * (1 - rate) / number + square / (4 * number**2))
    reach = _NORMAL * float(spread) / (1 + square / number)
    return max(0.0, middle - reach), min(1.0, middle + reach)


def mean_interval(values: np.ndarray) -> Interval:
    """Return the interval of the mean of `values` (N,), N at least 2, by the central limit."""
    mean = float(np.mean(values))
    reach = _NORMAL * float(np.std(values, ddof=1) / np.sqrt(len(values)))
    return mean - reach, mean + reach
