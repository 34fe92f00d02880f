"""The tables of errors against a confusion matrix worked by hand."""

import numpy as np
import pytest

from cifar_pipeline.dataset.cifar10 import CLASS_NAMES
from cifar_pipeline.metrics.confusion import (
    confused_pairs,
    confusion_matrix,
    error_table,
    macro_f1,
)

# Of 4 airplanes 2 are taken for birds and 1 for an automobile; of 3 automobiles 1 for an airplane
# and 1 for a bird; both birds are right; 1 cat is taken for a bird. No other class occurs.
LABELS = np.array([0, 0, 0, 0, 1, 1, 1, 2, 2, 3], np.uint8)
PREDICTED = np.array([0, 1, 2, 2, 0, 1, 2, 2, 2, 2])


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


def test_macro_f1_is_the_mean_over_the_classes_that_occur(table):
    probabilities = np.eye(10, dtype=np.float32)[PREDICTED]
    by_hand = (2 * 1 / 6 + 2 * 1 / 5 + 2 * 2 / 8 + 0) / 4
    assert macro_f1(probabilities, LABELS) == pytest.approx(by_hand)
    assert table["f1"].sum() / 4 == pytest.approx(by_hand)
    # A class that only predictions have counts, too: its F1 is 0.
    assert macro_f1(np.eye(2, dtype=np.float32)[[0, 1]], np.array([0, 0], np.uint8)) == 1 / 3
