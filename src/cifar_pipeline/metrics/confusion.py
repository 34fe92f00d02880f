"""Where a classifier errs: the confusion matrix, the table of classes, the confused pairs."""

import numpy as np
import pandas as pd


def confusion_matrix(labels: np.ndarray, predicted: np.ndarray, classes: int) -> np.ndarray:
    """Count the images of every pair of actual and predicted class.

    Args:
        labels: integers (N,) from 0 to `classes` - 1.
        predicted: the same of what the model takes them for.
        classes: their number.

    Returns:
        int64 (classes, classes); row: actual class, column: predicted class.
    """
    matrix = np.zeros((classes, classes), dtype=np.int64)
    np.add.at(matrix, (labels, predicted), 1)
    return matrix


def error_table(matrix: np.ndarray, names: tuple[str, ...]) -> pd.DataFrame:
    """Summarise the errors of every class.

    For one class, with `support` its images and `predicted` the images predicted to be of it
    (Powers, 2011, "Evaluation: from precision, recall and F-measure to ROC"):

        error_rate = errors / support
        recall     = correct / support
        precision  = correct / predicted
        f1         = 2 correct / (support + predicted), the harmonic mean of the two above

    A rate of nothing (0 / 0) is 0.

    Args:
        matrix: int64 (classes, classes) from `confusion_matrix`.
        names: of the classes.

    Returns:
        One row a class in label order; columns class, support, correct, errors, error_rate,
        precision, recall, f1, most_confused_with, most_confused_count. The class that most of the
        errors are taken for is the lowest label of several, and "" where there are no errors.
    """
    support, predicted, correct = matrix.sum(axis=1), matrix.sum(axis=0), matrix.diagonal()
    errors = support - correct
    mistaken = matrix - np.diag(correct)
    worst_count = mistaken.max(axis=1)
    worst = [
        names[label] if count else ""
        for label, count in zip(mistaken.argmax(axis=1), worst_count, strict=True)
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
    """Return the unordered pairs of classes that are taken for each other most often.

    Args:
        matrix: int64 (classes, classes) from `confusion_matrix`.
        names: of the classes.
        count: how many pairs at most; pairs without errors are left out.

    Returns:
        The two names, the lower label first, and the number of errors both ways; the most
        confused pair first, equal ones in label order.
    """
    first, second = np.triu_indices(len(names), k=1)
    errors = (matrix + matrix.T)[first, second]
    order = np.argsort(-errors, kind="stable")[:count]
    return [(names[first[at]], names[second[at]], int(errors[at])) for at in order if errors[at]]


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.divide(part, whole, out=np.zeros(len(part)), where=whole > 0)
