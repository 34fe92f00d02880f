"""Confidence intervals against published or hand-worked cases."""

import numpy as np
import pytest

from cifar_pipeline.metrics.confidence_intervals import mean_interval, wilson_interval


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
