"""Calibration against cases worked by hand."""

import math

import numpy as np
import pytest

from cifar_pipeline.metrics.calibration import (
    HIGHEST,
    LOWEST,
    at_temperature,
    expected_calibration_error,
    fit_temperature,
    reliability,
)
from cifar_pipeline.metrics.loss_and_accuracy import cross_entropy

# Three images at confidence 0.65, two of them right; one at 0.95, right; bins of a tenth.
PROBABILITIES = np.array([[0.65, 0.35], [0.35, 0.65], [0.65, 0.35], [0.05, 0.95]], np.float32)
LABELS = np.array([0, 1, 1, 1], np.uint8)


def test_reliability_by_hand():
    table = reliability(PROBABILITIES, LABELS, bins=10)
    assert table["images"].tolist() == [0, 0, 0, 0, 0, 0, 3, 0, 0, 1]
    assert table["accuracy"].tolist() == [0] * 6 + [pytest.approx(2 / 3), 0, 0, 1]
    assert table["confidence"][6] == pytest.approx(0.65)
    assert table["confidence"][9] == pytest.approx(0.95)
    assert (table["from"][6], table["to"][6]) == (pytest.approx(0.6), pytest.approx(0.7))


def test_expected_calibration_error_by_hand():
    # 3/4 of the images are off by |0.65 - 2/3|, 1/4 by |0.95 - 1|.
    expected = 0.75 * (2 / 3 - 0.65) + 0.25 * 0.05
    assert expected_calibration_error(PROBABILITIES, LABELS, bins=10) == pytest.approx(expected)


def test_a_bin_holds_its_upper_edge():
    certain = np.array([[1, 0], [0.5, 0.5]], np.float32)
    table = reliability(certain, np.array([0, 0], np.uint8), bins=10)
    assert table["images"].tolist() == [0, 0, 0, 0, 1, 0, 0, 0, 0, 1]
    assert expected_calibration_error(certain, np.array([0, 0], np.uint8), 10) == 0.25


def test_temperature_by_hand():
    # Always the same logits (z, 0), right in 3 of 4: the likelihood is greatest where the softmax
    # is 0.75, that is z / T = log 3.
    logits = np.tile(np.array([[5, 0]], np.float32), (4, 1))
    labels = np.array([0, 0, 0, 1], np.uint8)
    temperature = fit_temperature(logits, labels)
    assert temperature == pytest.approx(5 / math.log(3), rel=1e-12)
    assert at_temperature(logits, temperature)[0, 0] == pytest.approx(0.75, abs=1e-6)


def test_no_other_temperature_is_likelier():
    random = np.random.default_rng(1)
    logits = random.normal(size=(500, 10)).astype(np.float32) * 3
    labels = random.integers(0, 10, 500).astype(np.uint8)
    labels[:300] = logits[:300].argmax(axis=1)
    best = fit_temperature(logits, labels)
    losses = [cross_entropy(at_temperature(logits, best * by), labels) for by in (0.98, 1, 1.02)]
    assert losses[1] == min(losses)
    assert LOWEST < best < HIGHEST


@pytest.mark.parametrize("shift", [-7.0, 0.0, 30.0])
def test_a_number_added_to_all_logits_changes_nothing(shift):
    logits = np.array([[2, 0, -1], [0, 1, 0], [3, 2, 1]], np.float32)
    labels = np.array([0, 1, 1], np.uint8)
    assert fit_temperature(logits + np.float32(shift), labels) == pytest.approx(
        fit_temperature(logits, labels), rel=1e-5
    )


@pytest.mark.parametrize("label", [0, 1])
def test_a_net_that_is_always_right_or_always_wrong_keeps_its_temperature(label):
    logits = np.tile(np.array([[1, 0]], np.float32), (3, 1))
    assert fit_temperature(logits, np.full(3, label, np.uint8)) == 1
