"""How far a score of N test images may be from that of all such images: 95 % intervals."""

from collections.abc import Callable

import numpy as np

_NORMAL = 1.959963984540054  # the 97.5th percentile of the standard normal distribution
_RESAMPLES, _SEED = 1000, 0

Interval = tuple[float, float]


def of_proportion(hits: int, number: int) -> Interval:
    """Return the interval of a rate, such as the accuracy: `hits` of `number`, at least 1.

    Source: Wilson, "Probable inference, the law of succession, and statistical inference", 1927.
    """
    rate, square = hits / number, _NORMAL**2
    middle = (rate + square / (2 * number)) / (1 + square / number)
    spread = np.sqrt(rate * (1 - rate) / number + square / (4 * number**2))
    reach = _NORMAL * float(spread) / (1 + square / number)
    return max(0.0, middle - reach), min(1.0, middle + reach)


def of_mean(values: np.ndarray) -> Interval:
    """Return the interval of the mean of `values` (N,), N at least 2, by the central limit."""
    mean = float(np.mean(values))
    reach = _NORMAL * float(np.std(values, ddof=1) / np.sqrt(len(values)))
    return mean - reach, mean + reach


def by_bootstrap(score: Callable[[np.ndarray], float], number: int) -> Interval:
    """Return the interval of any score that is at least 0: the basic bootstrap's.

    Source: Davison and Hinkley, "Bootstrap Methods and their Application", 1997, section 5.2. The
    samples follow from a fixed seed. As far as they lie above the score, so far may the score lie
    above the truth: that takes back the part of a calibration error that is noise.

    Args:
        score: of the images with these indices, int64 (N,), some of them several times.
        number: of images.
    """
    random = np.random.default_rng(_SEED)
    scores = [score(random.integers(0, number, number)) for _ in range(_RESAMPLES)]
    low, high = np.percentile(scores, [2.5, 97.5])
    here = score(np.arange(number))
    return max(0.0, 2 * here - float(high)), max(0.0, 2 * here - float(low))
