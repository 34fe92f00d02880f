"""The files that evaluate leaves: metrics for `dvc metrics`, tables for `dvc plots` and people.

Their bytes follow from the predictions alone: fixed digits and line ends.
"""

import json
from pathlib import Path

import numpy as np
import pandas as pd

from cifar_pipeline.atomic import replacing
from cifar_pipeline.classes import CLASS_NAMES
from cifar_pipeline.error_table import confusion_matrix, error_table
from cifar_pipeline.scoring import accuracy, cross_entropy

DIGITS = 6

Metrics = dict[str, dict[str, float]]


def _scores(probabilities: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    correct = accuracy(probabilities, labels)
    return {
        "loss": round(cross_entropy(probabilities, labels), DIGITS),
        "accuracy": round(correct, DIGITS),
        "error": round(1 - correct, DIGITS),
    }


def metrics_of(
    probabilities: np.ndarray, labels: np.ndarray, averaged: np.ndarray | None = None
) -> Metrics:
    """Return loss (nats), accuracy and error of the test split, and the error of every class.

    Args:
        probabilities: float32 (N, 10).
        labels: uint8 (N,).
        averaged: probabilities by test-time augmentation, float32 (N, 10), None without.
    """
    table = error_table(confusion_matrix(labels, probabilities.argmax(axis=1)))
    more = {} if averaged is None else {"test_time_augmentation": _scores(averaged, labels)}
    return {
        "test": _scores(probabilities, labels),
        **more,
        "error_by_class": {
            str(name): round(float(rate), DIGITS)
            for name, rate in zip(table["class"], table["error_rate"], strict=True)
        },
    }


def prediction_table(probabilities: np.ndarray, labels: np.ndarray) -> pd.DataFrame:
    """Return one row a test image: index, label, predicted, confidence, p_airplane, ..., p_truck.

    `label` and `predicted` are names of classes; `confidence` is the predicted class's probability.

    Args:
        probabilities: float32 (N, 10).
        labels: uint8 (N,).
    """
    names = np.array(CLASS_NAMES, dtype=object)
    columns = {
        "index": np.arange(len(labels)),
        "label": names[labels],
        "predicted": names[probabilities.argmax(axis=1)],
        "confidence": probabilities.max(axis=1),
    }
    columns |= {f"p_{name}": probabilities[:, at] for at, name in enumerate(CLASS_NAMES)}
    return pd.DataFrame(columns)


def write_reports(
    folder: Path, probabilities: np.ndarray, labels: np.ndarray, averaged: np.ndarray | None = None
) -> None:
    """Write test_metrics.json, per_class_errors.csv, confusion.csv and predictions.csv.

    Args:
        folder: where they go; made when missing.
        probabilities: float32 (N, 10), in the order of the test split.
        labels: uint8 (N,).
        averaged: probabilities by test-time augmentation, for the metrics alone; None without.
    """
    with replacing(folder / "test_metrics.json") as temporary:
        content = json.dumps(metrics_of(probabilities, labels, averaged), indent=2) + "\n"
        temporary.write_text(content, encoding="utf-8", newline="\n")
    predictions = prediction_table(probabilities, labels)
    pairs = predictions[["label", "predicted"]].rename(columns={"label": "actual"})
    matrix = confusion_matrix(labels, probabilities.argmax(axis=1))
    _write_csv(error_table(matrix), folder / "per_class_errors.csv")
    _write_csv(pairs, folder / "confusion.csv")
    _write_csv(predictions, folder / "predictions.csv")


def _write_csv(table: pd.DataFrame, path: Path) -> None:
    with replacing(path) as temporary:
        table.to_csv(temporary, index=False, float_format=f"%.{DIGITS}f", lineterminator="\n")
