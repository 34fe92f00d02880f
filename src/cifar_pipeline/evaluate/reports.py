"""The files that evaluate leaves: metrics for `dvc metrics`, tables for `dvc plots` and people.

Their bytes follow from the predictions alone: fixed digits and line ends.
"""

import json
from pathlib import Path

import numpy as np
import pandas as pd

from cifar_pipeline.common.atomic import replacing
from cifar_pipeline.evaluate.predictions import Predictions
from cifar_pipeline.metrics.calibration import expected_calibration_error
from cifar_pipeline.metrics.classification import (
    accuracy,
    brier_score,
    cross_entropy,
    top_k_accuracy,
)
from cifar_pipeline.metrics.confusion import error_table

DIGITS = 6

Metrics = dict[str, dict[str, float]]


def scores(probabilities: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Return every score of probabilities, float32 (N, classes), under its name.

    The negative log likelihood is in nats; the Brier score is summed up over the classes.
    """
    correct = accuracy(probabilities, labels)
    return {
        "accuracy": correct,
        "error": 1 - correct,
        "top_2_accuracy": top_k_accuracy(probabilities, labels, 2),
        "negative_log_likelihood": cross_entropy(probabilities, labels),
        "brier_score": brier_score(probabilities, labels),
        "expected_calibration_error": expected_calibration_error(probabilities, labels),
    }


def metrics_of(predictions: Predictions) -> Metrics:
    """Return the scores of the test split, as they are and at the temperature; errors by class.

    Where there is test-time augmentation, its scores have a part of their own.
    """
    labels = predictions.labels
    table = error_table(predictions.matrix, predictions.names)
    metrics = {
        "test": scores(predictions.probabilities, labels),
        "test_temperature_scaled": {
            "temperature": predictions.temperature,
            **scores(predictions.scaled, labels),
        },
    }
    if predictions.averaged is not None:
        metrics["test_time_augmentation"] = scores(predictions.averaged, labels)
    metrics["error_by_class"] = dict(zip(table["class"], table["error_rate"], strict=True))
    return {
        part: {name: round(float(value), DIGITS) for name, value in values.items()}
        for part, values in metrics.items()
    }


def prediction_table(predictions: Predictions) -> pd.DataFrame:
    """Return one row a test image: index, label, predicted, confidence, and p_CLASS of each class.

    `label` and `predicted` are names of classes; `confidence` is the predicted class's probability.
    """
    names = np.array(predictions.names, dtype=object)
    columns = {
        "index": np.arange(len(predictions.labels)),
        "label": names[predictions.labels],
        "predicted": names[predictions.predicted],
        "confidence": predictions.confidence,
    }
    columns |= {
        f"p_{name}": predictions.probabilities[:, at] for at, name in enumerate(predictions.names)
    }
    return pd.DataFrame(columns)


def write_reports(folder: Path, predictions: Predictions) -> None:
    """Write test_metrics.json, per_class_errors.csv, confusion.csv and predictions.csv.

    Args:
        folder: where they go; made when missing.
        predictions: in the order of the test split.
    """
    with replacing(folder / "test_metrics.json") as temporary:
        content = json.dumps(metrics_of(predictions), indent=2) + "\n"
        temporary.write_text(content, encoding="utf-8", newline="\n")
    table = prediction_table(predictions)
    pairs = table[["label", "predicted"]].rename(columns={"label": "actual"})
    errors = error_table(predictions.matrix, predictions.names)
    _write_csv(errors, folder / "per_class_errors.csv")
    _write_csv(pairs, folder / "confusion.csv")
    _write_csv(table, folder / "predictions.csv")


def _write_csv(table: pd.DataFrame, path: Path) -> None:
    with replacing(path) as temporary:
        table.to_csv(temporary, index=False, float_format=f"%.{DIGITS}f", lineterminator="\n")
