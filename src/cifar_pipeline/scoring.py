"""How good predicted probabilities are: accuracy and cross-entropy."""

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
    _check_shapes(probabilities, labels)
    likelihoods = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    return float(-np.mean(np.log(likelihoods.clip(EPSILON, 1 - EPSILON))))


def _check_shapes(probabilities: np.ndarray, labels: np.ndarray) -> None:
    # Labels of shape (N, 1) would broadcast to a wrong score without an error.
    if probabilities.ndim != 2 or labels.shape != probabilities.shape[:1] or not labels.size:
        raise ValueError(
            "expected probabilities (N, classes) and labels (N,) of at least one image, got "
            f"{probabilities.shape} and {labels.shape}"
        )
