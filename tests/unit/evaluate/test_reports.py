"""The tables of errors against a confusion matrix worked by hand, and the files' bytes."""

import json

import numpy as np
import pandas as pd
import pytest

from cifar_pipeline.dataset.cifar10 import CLASS_NAMES
from cifar_pipeline.evaluate.reports import write_reports
from cifar_pipeline.metrics.registry import METRICS
from evaluation_results import sure_predictions

# Of 4 airplanes 2 are taken for birds and 1 for an automobile; of 3 automobiles 1 for an airplane
# and 1 for a bird; both birds are right; 1 cat is taken for a bird. No other class occurs.
LABELS = np.array([0, 0, 0, 0, 1, 1, 1, 2, 2, 3], np.uint8)
PREDICTED = np.array([0, 1, 2, 2, 0, 1, 2, 2, 2, 2])


PREDICTIONS = sure_predictions(PREDICTED, LABELS)


def test_metrics_file(tmp_path):
    write_reports(tmp_path, PREDICTIONS)
    text = (tmp_path / "test_metrics.json").read_text()
    metrics = json.loads(text)
    assert list(metrics) == ["test", "test_temperature_scaled", "error_by_class"]
    # Every confidence is 0.55, 4 of 10 are right; at half the temperature shares are squared.
    square = 0.55**2 + 9 * 0.05**2
    for part, sure, other in (
        ("test", 0.55, 0.05),
        ("test_temperature_scaled", 0.55**2 / square, 0.05**2 / square),
    ):
        scores = metrics[part]
        assert scores.pop("temperature", 0.5) == 0.5
        assert list(scores) == [metric.key for metric in METRICS]
        assert scores["top_2_accuracy"] >= 0.4
        expected = {
            "accuracy": 0.4,
            "error": 0.6,
            "negative_log_likelihood": -(4 * np.log(sure) + 6 * np.log(other)) / 10,
            "brier_score": 0.4 * ((1 - sure) ** 2 + 9 * other**2)
            + 0.6 * (sure**2 + (1 - other) ** 2 + 8 * other**2),
            "expected_calibration_error": sure - 0.4,
        }
        assert {key: scores[key] for key in expected} == pytest.approx(expected, abs=2e-6)
    assert tuple(metrics["error_by_class"]) == CLASS_NAMES
    assert metrics["error_by_class"]["automobile"] == 0.666667
    assert text.startswith('{\n  "test": {\n    "accuracy": ')
    assert text.endswith("}\n")


def test_per_class_file(tmp_path):
    write_reports(tmp_path, PREDICTIONS)
    lines = (tmp_path / "per_class_errors.csv").read_bytes().split(b"\n")
    assert lines[:4] == [
        b"class,support,correct,errors,error_rate,precision,recall,f1,"
        b"most_confused_with,most_confused_count",
        b"airplane,4,1,3,0.750000,0.500000,0.250000,0.333333,bird,2",
        b"automobile,3,1,2,0.666667,0.500000,0.333333,0.400000,airplane,1",
        b"bird,2,2,0,0.000000,0.333333,1.000000,0.500000,,0",
    ]
    assert len(lines) == 12
    assert lines[-1] == b""


def test_files_of_predictions(tmp_path):
    write_reports(tmp_path, PREDICTIONS)
    confusion = (tmp_path / "confusion.csv").read_text().splitlines()
    assert confusion[:3] == ["actual,predicted", "airplane,airplane", "airplane,automobile"]
    assert len(confusion) == 11
    predictions = pd.read_csv(tmp_path / "predictions.csv")
    assert list(predictions.columns) == [
        *("index", "label", "predicted", "confidence"),
        *(f"p_{name}" for name in CLASS_NAMES),
    ]
    assert predictions["label"].tolist() == [CLASS_NAMES[label] for label in LABELS]
    assert predictions["predicted"].tolist() == [CLASS_NAMES[label] for label in PREDICTED]
    second = (tmp_path / "predictions.csv").read_text().splitlines()[2]
    assert second.startswith("1,airplane,automobile,0.550000,0.050000,0.550000,0.050000,")


def test_same_predictions_give_the_same_bytes(tmp_path):
    for run in ("first", "second"):
        write_reports(tmp_path / run, PREDICTIONS)
    names = sorted(path.name for path in (tmp_path / "first").iterdir())
    assert names == [
        "confusion.csv",
        "per_class_errors.csv",
        "predictions.csv",
        "test_metrics.json",
    ]
    for name in names:
        first, second = ((tmp_path / run / name).read_bytes() for run in ("first", "second"))
        assert first == second
        assert b"\r" not in first
