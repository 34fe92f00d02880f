"""Errors by class: the confusion matrix, the table of classes, the most confused pairs."""

import numpy as np
import pandas as pd

from cifar_pipeline.metrics.loss_and_accuracy import check_shapes


def confusion_matrix(labels: np.ndarray, predicted: np.ndarray, classes: int) -> np.ndarray:
    """Count the images of every pair of actual and predicted class.

    Args:
        labels: integers (N,) from 0 to `classes` - 1.
        predicted: the predicted classes, likewise.
        classes: the number of classes.

    Returns:
        int64 (classes, classes); row: actual class, column: predicted class.
    """
    matrix = np.zeros((classes, classes), dtype=np.int64)
    np.add.at(matrix, (labels, predicted), 1)
    return matrix


def matrix_of(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the confusion matrix of the likeliest classes; arguments as in `macro_f1`."""
    check_shapes(probabilities, labels)
    return confusion_matrix(labels, probabilities.argmax(axis=1), probabilities.shape[1])


def macro_f1(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Return the mean F1 over the classes that occur, as labels or as predictions.

    F1 is as in `error_table`. The mean of the classes' F1, not the F1 of mean precision and recall:
    Opitz and Burst, "Macro F1 and Macro F1", 2019; so has scikit-learn's f1_score.

    Args:
        probabilities: float32 (N, classes); of equally likely classes the lowest is predicted.
        labels: uint8 (N,), N at least 1.

    Raises:
        ValueError: the shapes do not belong together.
    """
    matrix = matrix_of(probabilities, labels)
    occurring = matrix.sum(axis=0) + matrix.sum(axis=1)
    return float(np.mean(2 * matrix.diagonal()[occurring > 0] / occurring[occurring > 0]))


def error_table(matrix: np.ndarray, names: tuple[str, ...]) -> pd.DataFrame:
    """Return support, errors, precision, recall and F1 of every class.

    For one class, with `support` images of it and `predicted` images predicted as it
    (Powers, 2011, "Evaluation: from precision, recall and F-measure to ROC"):

        error_rate = errors / support
        recall     = correct / support
        precision  = correct / predicted
        f1         = 2 correct / (support + predicted), the harmonic mean of precision and recall

    0 / 0 counts as 0.

    Args:
        matrix: int64 (classes, classes) from `confusion_matrix`.
        names: the names of the classes.

    Returns:
        One row a class in label order; columns class, support, correct, errors, error_rate,
        precision, recall, f1, most_confused_with, most_confused_count. `most_confused_with` is the
        class that was predicted in most of the errors: the lowest label of several, and "" where
        there are no errors.
    """
    support, predicted, correct = matrix.sum(axis=1), matrix.sum(axis=0), matrix.diagonal()
    errors = support - correct
    off_diagonal = matrix - np.diag(correct)
    worst_count = off_diagonal.max(axis=1)
    worst = [
        names[label] if count else ""
        for label, count in zip(off_diagonal.argmax(axis=1), worst_count, strict=True)
    ]
    return pd.DataFrame(
        {
            "class": names,
            "support": support,
            "correct": correct,
            "errors": errors,
            "error_rate": _ratio(errors, support),
            "precision": _ratio(correct, predicted),
            "recall": _ratio(correct, support),
            "f1": _ratio(2 * correct, support + predicted),
            "most_confused_with": worst,
            "most_confused_count": worst_count,
        }
    )


def confused_pairs(
    matrix: np.ndarray, names: tuple[str, ...], count: int
) -> list[tuple[str, str, int]]:
    """Return the unordered pairs of classes with the most errors between them.

    Args:
        matrix: int64 (classes, classes) from `confusion_matrix`.
        names: the names of the classes.
        count: how many pairs at most; pairs without errors are left out.

    Returns:
        The two names, the lower label first, and the number of errors in both directions. The pair
        with the most errors comes first; pairs with equal numbers are in label order.
    """
    first, second = np.triu_indices(len(names), k=1)
    errors = (matrix + matrix.T)[first, second]
    order = np.argsort(-errors, kind="stable")[:count]
    return [(names[first[at]], names[second[at]], int(errors[at])) for at in order if errors[at]]


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.divide(part, whole, out=np.zeros(len(part)), where=whole > 0)
