"""Confidence calibration: reliability, expected calibration error and temperature scaling.

Source: Guo, Pleiss, Sun and Weinberger, "On Calibration of Modern Neural Networks", 2017.
"""

import numpy as np
import pandas as pd

BINS = 15
# No temperature outside of these is fitted: the model is always right, or no better than chance.
LOWEST, HIGHEST = 0.01, 100.0
_BISECTIONS = 60  # of the interval between the two: more digits than a double has


def reliability(probabilities: np.ndarray, labels: np.ndarray, bins: int = BINS) -> pd.DataFrame:
    """Return the table of a reliability diagram: confidence and accuracy by bins of confidence.

    Args:
        probabilities: float32 (N, classes).
        labels: uint8 (N,).
        bins: the number of bins, all of the same width; a bin includes its upper edge, not its
            lower one.

    Returns:
        One row a bin: `from` and `to` (its edges), `images` (their number), and the mean
        `confidence` (the probability of the predicted class) and the `accuracy` of these images.
        The last two are 0 for a bin without images.
    """
    confidence, is_correct = _confidence(probabilities, labels)
    at = _bins_of(confidence, bins)
    images = np.bincount(at, minlength=bins)
    whole = np.maximum(images, 1)
    edges = np.linspace(0, 1, bins + 1)
    return pd.DataFrame(
        {
            "from": edges[:-1],
            "to": edges[1:],
            "images": images,
            "confidence": np.bincount(at, weights=confidence, minlength=bins) / whole,
            "accuracy": np.bincount(at, weights=is_correct, minlength=bins) / whole,
        }
    )


def expected_calibration_error(
    probabilities: np.ndarray, labels: np.ndarray, bins: int = BINS
) -> float:
    """Return the mean gap between confidence and accuracy of the bins, weighted by their images.

    Source: Naeini, Cooper and Hauskrecht, "Obtaining Well Calibrated Probabilities Using Bayesian
    Binning", 2015. Arguments as in `reliability`.
    """
    confidence, is_correct = _confidence(probabilities, labels)
    # A bin's gap times its number of images is the sum of (confidence - correct) over them.
    gaps = np.bincount(_bins_of(confidence, bins), weights=confidence - is_correct, minlength=bins)
    return float(np.abs(gaps).sum() / len(labels))


def _confidence(probabilities: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the confidence of each image, float64 (N,), and whether the class is correct, bool."""
    confidence = probabilities.max(axis=1).astype(np.float64)
    return confidence, probabilities.argmax(axis=1) == labels


def _bins_of(confidence: np.ndarray, bins: int) -> np.ndarray:
    return np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)


def fit_temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """Return the temperature that maximises the likelihood of the labels.

    The negative log likelihood is convex in 1 / temperature; bisection finds the root of its
    derivative. Do not fit the temperature on the images on which the calibration is measured.

    Args:
        logits: float32 (N, classes), or logarithms of probabilities.
        labels: uint8 (N,).

    Returns:
        A temperature between LOWEST and HIGHEST; 1, which changes nothing, if the likelihood has no
        maximum between them.
    """
    logits = logits.astype(np.float64)
    of_label = logits[np.arange(len(labels)), labels]

    def slope(inverse: float) -> float:
        """Return the derivative of the negative log likelihood with respect to 1 / temperature."""
        expected = (_softmax(logits * inverse) * logits).sum(axis=1)
        return float(np.mean(expected - of_label))

    low, high = 1 / HIGHEST, 1 / LOWEST
    if slope(low) >= 0 or slope(high) <= 0:
        return 1.0
    for _ in range(_BISECTIONS):
        # The geometric mean: the interval spans four powers of ten.
        middle = float(np.sqrt(low * high))
        low, high = (middle, high) if slope(middle) < 0 else (low, middle)
    return 1 / high


def at_temperature(logits: np.ndarray, temperature: float) -> np.ndarray:
    """Return the softmax of logits / temperature, float32, of the shape of `logits`."""
    return _softmax(logits.astype(np.float64) / temperature).astype(np.float32)


def _softmax(logits: np.ndarray) -> np.ndarray:
    shares = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return shares / shares.sum(axis=-1, keepdims=True)
