"""The bits of symbols, by mixtures of logistic distributions."""

import numpy as np
import pytest
from keras import ops

from cifar_pipeline.codec.prior import LogisticMixture


def bits_of(symbols: np.ndarray, gain: float, deviation: float = 1.0) -> np.ndarray:
    """Return the bits of `symbols`, (N,), of one channel."""
    prior = LogisticMixture(np.array([deviation], np.float32), 3)
    shaped = ops.convert_to_tensor(symbols.astype(np.float32)[:, None, None, None])
    gains = ops.full((len(symbols), 1, 1, 1), gain)
    return ops.convert_to_numpy(prior(shaped, gains))[:, 0, 0, 0]


@pytest.mark.parametrize("gain", [0.3, 1.0, 20.0])
def test_probabilities_of_all_symbols_sum_to_1(gain: float) -> None:
    bits = bits_of(np.arange(-400, 401), gain)
    assert np.sum(2.0 ** -bits.astype(np.float64)) == pytest.approx(1, abs=1e-4)
    assert bits.argmin() == 400


def test_a_logistic_distribution_worked_by_hand() -> None:
    """Of two components, which both have the scale 1, at gain 1: F(v + 1/2) - F(v - 1/2)."""
    prior = LogisticMixture(np.array([1.0], np.float32), 2)
    symbols = ops.convert_to_tensor(np.array([0.0, 2.0], np.float32)[:, None, None, None])
    gains = ops.ones((2, 1, 1, 1))
    prior(symbols, gains)
    prior.log_scales.assign([[0.0], [0.0]])
    bits = ops.convert_to_numpy(prior(symbols, gains)).ravel()

    def distribution(value: float) -> float:
        return 1 / (1 + np.exp(-value))

    expected = [distribution(v + 0.5) - distribution(v - 0.5) for v in (0, 2)]
    np.testing.assert_allclose(bits, -np.log2(expected), rtol=1e-5)


def test_a_gain_of_two_costs_a_bit_more() -> None:
    normal = np.random.default_rng(0).normal(size=5000)
    once, twice = (bits_of(np.round(gain * normal), gain).mean() for gain in (16, 32))
    assert twice - once == pytest.approx(1, abs=0.01)


def test_what_is_far_away_costs_a_bounded_number_of_bits() -> None:
    assert bits_of(np.array([1e6, -1e6]), 1.0).max() < 31
