"""The files of metrics and predictions: for `dvc metrics`, for `dvc plots` and for people.

Their bytes depend on the predictions alone: digits and line ends are fixed.
"""

import json
from pathlib import Path

import numpy as np
import pandas as pd

from cifar_pipeline.common.atomic import replacing
from cifar_pipeline.evaluate.predictions import Predictions
from cifar_pipeline.metrics.confusion import error_table
from cifar_pipeline.metrics.registry import values_of

DIGITS = 6
FILES = _METRICS, _ERRORS, _PAIRS, _PREDICTIONS = (
    "test_metrics.json",
    "per_class_errors.csv",
    "confusion.csv",
    "predictions.csv",
)

Metrics = dict[str, dict[str, float]]


def metrics_of(predictions: Predictions) -> Metrics:
    """Return the content of test_metrics.json: every metric of the test split, by part and key.

    The parts are `test` (the model as trained), `test_temperature_scaled` (with the temperature),
    `test_time_augmentation` (if there is any) and `error_by_class` (the error rate by class name).
    """
    labels = predictions.labels
    table = error_table(predictions.matrix, predictions.names)
    metrics = {
        "test": values_of(predictions.probabilities, labels),
        "test_temperature_scaled": {
            "temperature": predictions.temperature,
            **values_of(predictions.scaled, labels),
        },
    }
    if predictions.augmented is not None:
        metrics["test_time_augmentation"] = values_of(predictions.augmented, labels)
    metrics["error_by_class"] = dict(zip(table["class"], table["error_rate"], strict=True))
    return {
        part: {name: round(float(value), DIGITS) for name, value in values.items()}
        for part, values in metrics.items()
    }


def prediction_table(predictions: Predictions) -> pd.DataFrame:
    """Return one row a test image: index, label, predicted, confidence, and p_CLASS of each class.

    `label` and `predicted` are names of classes, `confidence` is the probability of the predicted
    class, and p_CLASS that of the class named CLASS.
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
        folder: the folder of the files; it is made when missing.
        predictions: in the order of the test split.
    """
    with replacing(folder / _METRICS) as temporary:
        content = json.dumps(metrics_of(predictions), indent=2) + "\n"
        temporary.write_text(content, encoding="utf-8", newline="\n")
    table = prediction_table(predictions)
    pairs = table[["label", "predicted"]].rename(columns={"label": "actual"})
    errors = error_table(predictions.matrix, predictions.names)
    _write_csv(errors, folder / _ERRORS)
    _write_csv(pairs, folder / _PAIRS)
    _write_csv(table, folder / _PREDICTIONS)


def _write_csv(table: pd.DataFrame, path: Path) -> None:
    with replacing(path) as temporary:
        table.to_csv(temporary, index=False, float_format=f"%.{DIGITS}f", lineterminator="\n")
