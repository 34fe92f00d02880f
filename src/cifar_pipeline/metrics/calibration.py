"""Whether confidence can be believed: reliability, its error, and one temperature against it.

Source: Guo, Pleiss, Sun and Weinberger, "On Calibration of Modern Neural Networks", 2017.
"""

import numpy as np
import pandas as pd

BINS = 15
# A temperature outside of these is none: the net is always right, or no better than guessing.
COLDEST, HOTTEST = 0.01, 100.0
_HALVINGS = 60  # of the interval between the two: more digits than a double has


def reliability(probabilities: np.ndarray, labels: np.ndarray, bins: int = BINS) -> pd.DataFrame:
    """Compare confidence with accuracy, by bins of confidence of equal width.

    Args:
        probabilities: float32 (N, classes).
        labels: uint8 (N,).
        bins: their number; a bin holds its upper edge, not its lower one.

    Returns:
        One row a bin: `from` and `to` (its edges), `images`, and of these images the mean
        `confidence` (the probability of the predicted class) and the `accuracy`. Of a bin without
        images the last two are 0.
    """
    confidence, right = _judged(probabilities, labels)
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
            "accuracy": np.bincount(at, weights=right, minlength=bins) / whole,
        }
    )


def expected_calibration_error(
    probabilities: np.ndarray, labels: np.ndarray, bins: int = BINS
) -> float:
    """Return the mean over all images of the gap between their bin's confidence and accuracy.

    Source: Naeini, Cooper and Hauskrecht, "Obtaining Well Calibrated Probabilities Using Bayesian
    Binning", 2015. Arguments as in `reliability`.
    """
    confidence, right = _judged(probabilities, labels)
    # A bin's gap times its images is the sum of (confidence - hit) over them.
    gaps = np.bincount(_bins_of(confidence, bins), weights=confidence - right, minlength=bins)
    return float(np.abs(gaps).sum() / len(labels))


def _judged(probabilities: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the confidence of each image, float64 (N,), and whether it is right, bool (N,)."""
    confidence = probabilities.max(axis=1).astype(np.float64)
    return confidence, probabilities.argmax(axis=1) == labels


def _bins_of(confidence: np.ndarray, bins: int) -> np.ndarray:
    return np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)


def fit_temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """Return the temperature that gives the labels the greatest likelihood.

    The negative log likelihood is convex in 1 / temperature, so the root of its derivative is
    halved down to. Never fit it on the images that it is judged by.

    Args:
        logits: float32 (N, classes), or logarithms of probabilities.
        labels: uint8 (N,).

    Returns:
        Between COLDEST and HOTTEST, or 1, which changes nothing, where no temperature there is the
        best one: each colder (or hotter) one is likelier still.
    """
    logits = logits.astype(np.float64)
    of_label = logits[np.arange(len(labels)), labels]

    def slope(inverse: float) -> float:
        """Return the derivative of the negative log likelihood with respect to 1 / temperature."""
        expected = (_softmax(logits * inverse) * logits).sum(axis=1)
        return float(np.mean(expected - of_label))

    low, high = 1 / HOTTEST, 1 / COLDEST
    if slope(low) >= 0 or slope(high) <= 0:
        return 1.0
    for _ in range(_HALVINGS):
        # The mean of the logarithms: the interval spans four powers of ten.
        middle = float(np.sqrt(low * high))
        low, high = (middle, high) if slope(middle) < 0 else (low, middle)
    return 1 / high


def at_temperature(logits: np.ndarray, temperature: float) -> np.ndarray:
    """Return the softmax of logits / temperature, float32, of the shape of `logits`."""
    return _softmax(logits.astype(np.float64) / temperature).astype(np.float32)


def _softmax(logits: np.ndarray) -> np.ndarray:
    shares = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return shares / shares.sum(axis=-1, keepdims=True)
