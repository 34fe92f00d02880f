"""Accuracy, balanced accuracy and cross-entropy: the metrics that train reports, too.

Other metrics stand in other modules: train depends on this file, so a change here trains the
model again.
"""

import numpy as np

# The clipping of keras.losses, so that a confident error costs what it costs in training.
EPSILON = 1e-7


def accuracy(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Return the top-1 accuracy: the fraction of images whose predicted class is their label.

    Args:
        probabilities: float32 (N, classes); of equally likely classes the lowest is predicted.
        labels: uint8 (N,), N at least 1.

    Raises:
        ValueError: the shapes do not belong together.
    """
    return float(np.mean(correct(probabilities, labels)))


def correct(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return which images are classified correctly, bool (N,); arguments as in `accuracy`."""
    check_shapes(probabilities, labels)
    return probabilities.argmax(axis=1) == labels


def balanced_accuracy(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Return the mean recall over the classes that have images: each class counts the same.

    Of equal classes it is the accuracy. Who always predicts the same class has 1 over the number of
    classes. Source: Brodersen et al., "The balanced accuracy and its posterior distribution", 2010,
    for two classes; scikit-learn's balanced_accuracy_score for more.

    Args:
        probabilities: float32 (N, classes).
        labels: uint8 (N,), N at least 1.

    Raises:
        ValueError: the shapes do not belong together.
    """
    hits, sizes = hits_by_class(probabilities, labels)
    return float(np.mean(hits / sizes))


def hits_by_class(probabilities: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return how many images of each class are right, and how many there are, both int64 (K,).

    Classes without images are left out. Arguments and errors as in `balanced_accuracy`.
    """
    right = correct(probabilities, labels)
    sizes = np.bincount(labels)
    return np.bincount(labels[right], minlength=len(sizes))[sizes > 0], sizes[sizes > 0]


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
    """Return the loss of each image in nats, float64 (N,); arguments as in `cross_entropy`."""
    check_shapes(probabilities, labels)
    likelihoods = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    return -np.log(likelihoods.clip(EPSILON, 1 - EPSILON))


def check_shapes(probabilities: np.ndarray, labels: np.ndarray) -> None:
    """Refuse arrays that are not probabilities (N, classes) and labels (N,), N at least 1.

    Raises:
        ValueError: they are not; labels (N, 1) would broadcast to a wrong score without an error.
    """
    if probabilities.ndim != 2 or labels.shape != probabilities.shape[:1] or not labels.size:
        raise ValueError(
            "expected probabilities (N, classes) and labels (N,) of at least one image, got "
            f"{probabilities.shape} and {labels.shape}"
        )
