"""Metrics of predicted probabilities: error rate, top-k accuracy, Brier score."""

import numpy as np

from cifar_pipeline.metrics.loss_and_accuracy import accuracy, check_shapes, correct


def error_rate(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Return 1 - accuracy; arguments and errors as in `accuracy`."""
    return 1 - accuracy(probabilities, labels)


def incorrect(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return which images are misclassified, bool (N,); arguments and errors as in `accuracy`."""
    return ~correct(probabilities, labels)


def top_k_accuracy(probabilities: np.ndarray, labels: np.ndarray, k: int) -> float:
    """Return the fraction of images whose label is among the `k` likeliest classes.

    Args:
        probabilities: float32 (N, classes); of equally likely classes the lowest counts.
        labels: uint8 (N,), N at least 1.
        k: from 1 to the number of classes.

    Raises:
        ValueError: the shapes do not belong together.
    """
    return float(np.mean(top_k_correct(probabilities, labels, k)))


def top_k_correct(probabilities: np.ndarray, labels: np.ndarray, k: int) -> np.ndarray:
    """Return which images count for `top_k_accuracy`, bool (N,); arguments and errors as there."""
    check_shapes(probabilities, labels)
    return (likeliest(probabilities, k) == labels[:, None]).any(axis=1)


def likeliest(probabilities: np.ndarray, k: int) -> np.ndarray:
    """Return the `k` likeliest classes of each image, the likeliest first, int64 (..., k).

    Args:
        probabilities: float32 (..., classes); of equally likely classes the lowest comes first.
        k: at least 1; all classes where there are fewer.
    """
    return np.argsort(-probabilities, axis=-1, kind="stable")[..., :k]


def brier_score(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Return the mean squared error of the probabilities against one-hot labels, from 0 to 2.

    Source: Brier, "Verification of forecasts expressed in terms of probability", 1950: summed up
    over all classes.

    Args:
        probabilities: float32 (N, classes).
        labels: uint8 (N,), N at least 1.

    Raises:
        ValueError: the shapes do not belong together.
    """
    return float(np.mean(squared_errors(probabilities, labels)))


def squared_errors(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return each image's part of `brier_score`, float64 (N,); arguments and errors as there."""
    check_shapes(probabilities, labels)
    one_hot = np.eye(probabilities.shape[1])[labels]
    return np.square(probabilities.astype(np.float64) - one_hot).sum(axis=1)
