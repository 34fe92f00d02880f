import numpy as np

from cifar_pipeline.codec.linear_contexts import UNIT
from cifar_pipeline.codec.predictor_fitting import BANDS, fit_predictor


def test_symbols_that_follow_from_others_are_predicted() -> None:
    """Channel 1 is half of the left neighbour in channel 0."""
    symbols = 2 * np.random.default_rng(0).integers(-20, 20, (60, 6, 6, 2)).astype(np.int32)
    symbols[:, :, 0, 1] = 0
    symbols[:, :, 1:, 1] = symbols[:, :, :-1, 0] // 2
    found = fit_predictor([0], [symbols])
    assert found.symbols.shape == (BANDS, 4, 2, 2, 9)
    left = 2  # among `TAPS`
    for weights in found.symbols[:, :, 1, 0].reshape(-1, 9):
        assert abs(weights[left] - UNIT // 2) <= 2
        assert np.abs(np.delete(weights, left)).max() <= 4


def test_magnitudes_that_go_together_are_predicted() -> None:
    """The error of channel 1 is as large as that of channel 0, and has any sign."""
    rng = np.random.default_rng(0)
    symbols = rng.integers(-20, 20, (400, 4, 4, 2)).astype(np.int32)
    symbols[..., 1] = symbols[..., 0] * rng.choice([-1, 1], symbols.shape[:3])
    found = fit_predictor([200], [symbols])
    assert (np.abs(found.magnitudes[..., 1, 0, 0] - UNIT) < 40).all()
    assert (np.abs(found.symbols[..., 1, 0, 0]) < 40).all()


def test_each_band_has_weights_of_its_levels() -> None:
    rng = np.random.default_rng(0)
    symbols = rng.integers(-20, 20, (60, 4, 4, 2)).astype(np.int32)
    other = symbols.copy()
    symbols[..., 1] = symbols[..., 0]
    weights = fit_predictor([0, 255], [symbols, other]).symbols[:, 0, 1, 0, 0]
    # Those between have the level that is nearer to them.
    assert (weights > 250).tolist() == [True] * 4 + [False] * 4
