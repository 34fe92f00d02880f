"""Scores against cases worked by hand."""

import math

import numpy as np
import pytest

from cifar_pipeline.metrics.classification import brier_score, top_k_accuracy
from cifar_pipeline.metrics.loss_and_accuracy import accuracy, balanced_accuracy, cross_entropy

PROBABILITIES = np.array([[0.5, 0.25, 0.25], [0.1, 0.8, 0.1], [0.25, 0.5, 0.25]], np.float32)


def test_accuracy_is_the_fraction_of_right_first_guesses():
    assert accuracy(PROBABILITIES, np.array([0, 1, 2], np.uint8)) == pytest.approx(2 / 3)


def test_balanced_accuracy_is_the_mean_recall_of_the_classes_that_occur():
    predicted = np.array([0, 1, 2, 2, 0, 1, 2, 2, 2, 2])
    labels = np.array([0, 0, 0, 0, 1, 1, 1, 2, 2, 3], np.uint8)
    found = balanced_accuracy(np.eye(10, dtype=np.float32)[predicted], labels)
    assert found == pytest.approx((1 / 4 + 1 / 3 + 2 / 2 + 0 / 1) / 4)
    always = np.tile(np.eye(3, dtype=np.float32)[0], (8, 1))
    assert balanced_accuracy(always, np.array([0] * 6 + [1, 2], np.uint8)) == pytest.approx(1 / 3)


def test_balanced_accuracy_of_equal_classes_is_the_accuracy():
    labels = (np.arange(300) % 3).astype(np.uint8)
    probabilities = np.random.default_rng(0).dirichlet([1, 1, 1], 300).astype(np.float32)
    found = balanced_accuracy(probabilities, labels)
    assert found == pytest.approx(accuracy(probabilities, labels))


def test_of_equally_likely_classes_the_lowest_counts():
    tied = np.full((2, 10), 0.1, np.float32)
    assert accuracy(tied, np.array([0, 1], np.uint8)) == 0.5


def test_cross_entropy_is_the_mean_negative_log_likelihood():
    by_hand = -(math.log(0.5) + math.log(0.8) + math.log(0.25)) / 3
    labels = np.array([0, 1, 2], np.uint8)
    assert cross_entropy(PROBABILITIES, labels) == pytest.approx(by_hand, abs=1e-7)


def test_cross_entropy_of_ignorance_is_the_logarithm_of_the_classes():
    labels = np.arange(10, dtype=np.uint8)
    assert cross_entropy(np.full((10, 10), 0.1, np.float32), labels) == pytest.approx(
        math.log(10), abs=1e-7
    )


@pytest.mark.parametrize(("label", "expected"), [(0, 0.0), (1, -math.log(1e-7))])
def test_cross_entropy_of_certainty_is_finite(label, expected):
    certain = np.array([[1, 0]], np.float32)
    assert cross_entropy(certain, np.array([label], np.uint8)) == pytest.approx(expected, abs=1e-6)


def test_cross_entropy_sums_in_double_precision():
    # A float32 sum of a million terms would be off in the fifth digit or so.
    many = np.tile(np.array([[0.3, 0.7]], np.float32), (1_000_000, 1))
    expected = -math.log(float(np.float32(0.3)))
    assert cross_entropy(many, np.zeros(1_000_000, np.uint8)) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(("k", "expected"), [(1, 2 / 3), (2, 2 / 3), (3, 1)])
def test_top_k_accuracy_by_hand(k, expected):
    # The third image's label shares the second place with the lower class 0, which counts.
    assert top_k_accuracy(PROBABILITIES, np.array([0, 1, 2], np.uint8), k) == pytest.approx(
        expected
    )


def test_top_1_accuracy_is_accuracy():
    random = np.random.default_rng(1)
    probabilities = random.dirichlet(np.ones(10), 200).astype(np.float32)
    labels = random.integers(0, 10, 200).astype(np.uint8)
    assert top_k_accuracy(probabilities, labels, 1) == accuracy(probabilities, labels)


def test_brier_score_by_hand():
    first = 0.5**2 + 0.25**2 + 0.25**2
    second = 0.1**2 + 0.2**2 + 0.1**2
    third = 0.25**2 + 0.5**2 + 0.75**2
    assert brier_score(PROBABILITIES, np.array([0, 1, 2], np.uint8)) == pytest.approx(
        (first + second + third) / 3
    )


@pytest.mark.parametrize(("label", "expected"), [(0, 0), (1, 2)])
def test_brier_score_of_certainty(label, expected):
    assert brier_score(np.array([[1, 0]], np.float32), np.array([label], np.uint8)) == expected


@pytest.mark.parametrize("score", [accuracy, cross_entropy, brier_score])
@pytest.mark.parametrize("labels", [np.zeros((3, 1), np.uint8), np.zeros(2, np.uint8)])
def test_labels_of_another_shape_are_refused(score, labels):
    with pytest.raises(ValueError, match=r"labels \(N,\)"):
        score(PROBABILITIES, labels)


@pytest.mark.parametrize("score", [accuracy, cross_entropy, brier_score])
def test_a_score_of_no_images_is_refused(score):
    with pytest.raises(ValueError, match="at least one image"):
        score(np.zeros((0, 10), np.float32), np.zeros(0, np.uint8))
