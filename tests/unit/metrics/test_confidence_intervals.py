"""Confidence intervals against published or hand-worked cases."""

import numpy as np
import pytest

from cifar_pipeline.metrics.confidence_intervals import (
    balanced_accuracy_interval,
    macro_f1_interval,
    mean_interval,
    wilson_interval,
)


def predictions_with(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return one-hot probabilities and labels whose confusion matrix is `matrix`."""
    labels, predicted = np.indices(matrix.shape).reshape(2, -1)
    one_hot = np.eye(len(matrix), dtype=np.float32)[np.repeat(predicted, matrix.ravel())]
    return one_hot, np.repeat(labels, matrix.ravel()).astype(np.uint8)


@pytest.mark.parametrize(
    ("hits", "number", "low", "high"),
    [
        # Newcombe, "Two-sided confidence intervals for the single proportion", 1998, table I.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
        (29, 29, 0.8830, 1.0000),
    ],
)
def test_wilson_interval(hits, number, low, high):
    assert wilson_interval(hits, number) == pytest.approx((low, high), abs=5e-5)


def test_interval_of_a_mean_by_hand():
    # Mean 2, standard deviation 1, so 1.96 / sqrt(3) each way.
    assert mean_interval(np.array([1.0, 2.0, 3.0])) == pytest.approx(
        (2 - 1.13159, 2 + 1.13159), abs=1e-5
    )


def test_the_interval_of_balanced_accuracy_by_hand():
    # By Newcombe's table 0 of 20 is from 0 to 0.1611, and 20 of 20 from 0.8389 to 1.
    found = balanced_accuracy_interval(*predictions_with(np.array([[0, 20], [0, 20]])))
    assert found == pytest.approx((0.5 - 0.1611 / 2, 0.5 + 0.1611 / 2), abs=5e-5)
    one_class = balanced_accuracy_interval(*predictions_with(np.array([[81, 182], [0, 0]])))
    assert one_class == pytest.approx((0.2553, 0.3662), abs=5e-5)


def test_the_interval_of_a_perfect_macro_f1_has_a_width():
    # 29 of 29 is from 0.8830, so F1 from 2 * 0.8830 / 1.8830; two such classes, independent.
    low, high = macro_f1_interval(*predictions_with(np.diag([29, 29])))
    assert low == pytest.approx(1 - (1 - 2 * 0.8830 / 1.8830) / 2**0.5, abs=5e-5)
    assert high == 1


def test_the_interval_of_macro_f1_is_that_of_the_delta_method_where_images_are_many():
    """The derivatives are by differences, so that the formula is not its own witness."""
    matrix = np.array([[40_000, 2000, 500], [900, 8000, 1200], [300, 700, 3000]])

    def macro_f1(counts):
        both = counts.sum(axis=0) + counts.sum(axis=1)
        return np.mean(2 * counts.diagonal() / both)

    steps = np.eye(9).reshape(9, 3, 3)
    slopes = np.array([macro_f1(matrix + step) - macro_f1(matrix - step) for step in steps]) / 2
    reach = 1.959964 * np.sqrt((matrix.ravel() * slopes**2).sum())
    low, high = macro_f1_interval(*predictions_with(matrix))
    assert (high - low) / 2 == pytest.approx(reach, rel=2e-3)
    assert (high + low) / 2 == pytest.approx(macro_f1(matrix), abs=0.1 * reach)


@pytest.mark.parametrize(
    ("interval", "measure"),
    [
        (balanced_accuracy_interval, lambda shares: np.mean(shares.diagonal() / shares.sum(1))),
        (
            macro_f1_interval,
            lambda shares: np.mean(2 * shares.diagonal() / (shares.sum(0) + shares.sum(1))),
        ),
    ],
)
def test_intervals_cover_the_true_value_where_a_class_is_rare(interval, measure):
    """Measured over 3,000 draws: 93 %; the normal approximation covers it in 79 and 84 %."""
    recalls = np.array([[0.99, 0.01, 0.0], [0.04, 0.95, 0.01], [0.09, 0.01, 0.9]])
    shares = np.array([[300], [60], [30]]) / 390 * recalls
    random = np.random.default_rng(0)
    draws = [random.multinomial(130, shares.ravel()).reshape(3, 3) for _ in range(300)]
    bounds = np.array([interval(*predictions_with(draw)) for draw in draws])
    covered = (bounds[:, 0] <= measure(shares)) & (measure(shares) <= bounds[:, 1])
    assert 0.89 < covered.mean() < 0.99
