"""The tables of errors against a confusion matrix worked by hand, and the files' bytes."""

import json

import numpy as np
import pandas as pd
import pytest

from cifar_pipeline.dataset.cifar10 import CLASS_NAMES
from cifar_pipeline.evaluate.predictions import Predictions
from cifar_pipeline.evaluate.reports import write_reports
from cifar_pipeline.evaluate.terminal import print_results
from cifar_pipeline.metrics.calibration import at_temperature
from cifar_pipeline.metrics.confusion import confused_pairs, confusion_matrix, error_table
from cifar_pipeline.metrics.registry import METRICS

# Of 4 airplanes 2 are taken for birds and 1 for an automobile; of 3 automobiles 1 for an airplane
# and 1 for a bird; both birds are right; 1 cat is taken for a bird. No other class occurs.
LABELS = np.array([0, 0, 0, 0, 1, 1, 1, 2, 2, 3], np.uint8)
PREDICTED = np.array([0, 1, 2, 2, 0, 1, 2, 2, 2, 2])


def sure_of(predicted):
    """Return probabilities (N, 10) of 0.55 for the predicted class and 0.05 for the others."""
    probabilities = np.full((len(predicted), 10), 0.05, np.float32)
    probabilities[np.arange(len(predicted)), predicted] = 0.55
    return probabilities


def predictions_of(predicted, labels):
    """Return what a model at temperature 0.5 says that is sure of `predicted`."""
    probabilities = sure_of(predicted)
    scaled = at_temperature(np.log(probabilities), 0.5)
    return Predictions(CLASS_NAMES, labels, probabilities, temperature=0.5, scaled=scaled)


PREDICTIONS = predictions_of(PREDICTED, LABELS)


@pytest.fixture
def matrix():
    return confusion_matrix(LABELS, PREDICTED, 10)


@pytest.fixture
def table(matrix):
    return error_table(matrix, CLASS_NAMES).set_index("class")


def test_confusion_matrix_has_actual_rows_and_predicted_columns(matrix):
    expected = np.zeros((10, 10), np.int64)
    expected[0, :3] = 1, 1, 2
    expected[1, :3] = 1, 1, 1
    expected[2, 2] = 2
    expected[3, 2] = 1
    np.testing.assert_array_equal(matrix, expected)


def test_rows_are_the_classes_in_label_order(table):
    assert tuple(table.index) == CLASS_NAMES


def test_rates_of_a_class_with_every_kind_of_error(table):
    airplane = table.loc["airplane"]
    assert (airplane.support, airplane.correct, airplane.errors) == (4, 1, 3)
    assert airplane.error_rate == 0.75
    assert airplane.recall == 0.25
    assert airplane.precision == 0.5  # 2 predicted, 1 of them right
    assert airplane.f1 == pytest.approx(2 * 0.5 * 0.25 / 0.75)
    assert (airplane.most_confused_with, airplane.most_confused_count) == ("bird", 2)


def test_most_confused_with_is_the_lower_label_of_two(table):
    automobile = table.loc["automobile"]
    assert (automobile.most_confused_with, automobile.most_confused_count) == ("airplane", 1)


def test_class_without_errors(table):
    bird = table.loc["bird"]
    assert (bird.errors, bird.error_rate, bird.recall) == (0, 0, 1)
    assert bird.precision == pytest.approx(2 / 6)  # 6 predicted, 2 of them right
    assert bird.f1 == pytest.approx(2 * 2 / (2 + 6))
    assert (bird.most_confused_with, bird.most_confused_count) == ("", 0)


def test_class_that_is_never_predicted(table):
    cat = table.loc["cat"]
    assert (cat.support, cat.error_rate) == (1, 1)
    assert (cat.precision, cat.recall, cat.f1) == (0, 0, 0)
    assert (cat.most_confused_with, cat.most_confused_count) == ("bird", 1)


def test_class_that_is_missing_from_the_test_split(table):
    truck = table.loc["truck"]
    assert (truck.support, truck.correct, truck.errors) == (0, 0, 0)
    assert (truck.error_rate, truck.precision, truck.recall, truck.f1) == (0, 0, 0, 0)
    assert truck.most_confused_with == ""


def test_confused_pairs_count_both_ways_and_break_ties_by_label(matrix):
    expected = [
        ("airplane", "automobile", 2),
        ("airplane", "bird", 2),
        ("automobile", "bird", 1),
        ("bird", "cat", 1),
    ]
    assert confused_pairs(matrix, CLASS_NAMES, 90) == expected
    assert confused_pairs(matrix, CLASS_NAMES, 2) == expected[:2]
    assert confused_pairs(matrix, CLASS_NAMES, 0) == []


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


def test_printed_table_is_whole_in_a_log(capsys):
    # The widest that a row gets on the 10,000 test images.
    labels = np.zeros(1000, np.uint8)
    print_results(predictions_of(np.ones(1000, np.int64), labels), 5)
    lines = capsys.readouterr().out.splitlines()
    row = next(line for line in lines if "airplane" in line)
    for cell in ("1,000", "1.0000", "0.0000", "automobile (1,000)"):
        assert cell in row
    assert any("most confused with" in line and "error rate" in line for line in lines)
    assert "  airplane <-> automobile: 1,000" in lines
    # At half the temperature 0.55 and 0.05 become 0.9308 and 0.0077.
    assert lines[-2:] == [
        "test accuracy 0.0000, loss 2.9957 (1,000 images)",
        "at temperature 0.500: loss 4.8675, expected calibration error 0.9308 instead of 0.5500",
    ]


def test_nothing_is_printed_about_pairs_when_all_is_right(capsys):
    print_results(predictions_of(LABELS, LABELS), 5)
    assert "<->" not in capsys.readouterr().out
