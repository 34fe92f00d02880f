"""How good predicted probabilities are: accuracy, cross-entropy, Brier score."""

import numpy as np

# The clipping of keras.losses, so that a confident mistake costs what it costs in training.
EPSILON = 1e-7


def accuracy(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Return the top-1 accuracy: the fraction of images whose likeliest class is their label.

    Args:
        probabilities: float32 (N, classes); of equally likely classes the lowest counts.
        labels: uint8 (N,), N at least 1.

    Raises:
        ValueError: the shapes do not belong together.
    """
    _check_shapes(probabilities, labels)
    return float(np.mean(probabilities.argmax(axis=1) == labels))


def cross_entropy(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Return the mean negative log likelihood of the labels, in nats.

    It is keras.losses.SparseCategoricalCrossentropy of probabilities that sum to 1, summed up in
    float64.

    Args:
        probabilities: float32 (N, classes), from 0 to 1.
        labels: uint8 (N,), N at least 1.

    Raises:
        ValueError: the shapes do not belong together.
    """
    return float(np.mean(log_losses(probabilities, labels)))


def log_losses(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return each image's part of `cross_entropy`, float64 (N,); arguments and errors as there."""
    _check_shapes(probabilities, labels)
    likelihoods = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    return -np.log(likelihoods.clip(EPSILON, 1 - EPSILON))


def top_k_accuracy(probabilities: np.ndarray, labels: np.ndarray, k: int) -> float:
    """Return the fraction of images whose label is among the `k` likeliest classes.

    Args:
        probabilities: float32 (N, classes); of equally likely classes the lowest counts.
        labels: uint8 (N,), N at least 1.
        k: from 1 to the number of classes.

    Raises:
        ValueError: the shapes do not belong together.
    """
    return float(np.mean(top_k_hits(probabilities, labels, k)))


def top_k_hits(probabilities: np.ndarray, labels: np.ndarray, k: int) -> np.ndarray:
    """Return which images count for `top_k_accuracy`, bool (N,); arguments and errors as there."""
    _check_shapes(probabilities, labels)
    return (likeliest(probabilities, k) == labels[:, None]).any(axis=1)


def likeliest(probabilities: np.ndarray, k: int) -> np.ndarray:
    """Return the `k` likeliest classes of each image, the likeliest first, int64 (..., k).

    Args:
        probabilities: float32 (..., classes); of equally likely classes the lowest comes first.
        k: at least 1; all classes where there are fewer.
    """
    return np.argsort(-probabilities, axis=-1, kind="stable")[..., :k]


def brier_score(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Return the mean squared distance of the probabilities from certainty of the label, 0 to 2.

    Source: Brier, "Verification of forecasts expressed in terms of probability", 1950: summed up
    over all classes.

    Args:
        probabilities: float32 (N, classes).
        labels: uint8 (N,), N at least 1.

    Raises:
        ValueError: the shapes do not belong together.
    """
    return float(np.mean(squared_distances(probabilities, labels)))


def squared_distances(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return each image's part of `brier_score`, float64 (N,); arguments and errors as there."""
    _check_shapes(probabilities, labels)
    certain = np.eye(probabilities.shape[1])[labels]
    return np.square(probabilities.astype(np.float64) - certain).sum(axis=1)


def _check_shapes(probabilities: np.ndarray, labels: np.ndarray) -> None:
    # Labels of shape (N, 1) would broadcast to a wrong score without an error.
    if probabilities.ndim != 2 or labels.shape != probabilities.shape[:1] or not labels.size:
        raise ValueError(
            "expected probabilities (N, classes) and labels (N,) of at least one image, got "
            f"{probabilities.shape} and {labels.shape}"
        )
