from dataclasses import replace

import numpy as np
import pytest

from cifar_pipeline.codec import linear_contexts
from cifar_pipeline.codec.linear_contexts import CONTEXTS, TAPS, LinearContexts, Predictor
from cifar_pipeline.codec.waves import PHASES, Known, waves_of_phases
from codec_models import random_predictor

CHANNELS = 3
PREDICTOR = random_predictor(np.random.default_rng(0), CHANNELS)
SHAPE = (CHANNELS, 5, 6, 4)
LEVELS = np.array([0, 100, 128, 255], np.uint8)
SYMBOLS = np.random.default_rng(1).integers(-9, 9, SHAPE).astype(np.int32)


def known(symbols: np.ndarray, predictor: Predictor = PREDICTOR) -> Known:
    """Return what is known of each symbol, in arrays of the block's shape."""
    found = Known(*(np.full(symbols.shape, -99) for _ in range(3)))
    seen = LinearContexts(symbols.shape, predictor, LEVELS[: symbols.shape[-1]])
    for wave in seen:
        of_wave = seen.of(wave)
        for whole, part in zip(found, of_wave, strict=True):
            whole[wave.place] = part
        seen.learn(wave, of_wave.flip * (symbols[wave.place] - of_wave.shift))
    return found


def predicted_by_hand(weights: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """Return the sums of products of all symbols, in Python's integers."""
    found = np.zeros(numbers.shape, object)
    for (channel, row, column, image), _ in np.ndenumerate(numbers):
        phase = PHASES.index((row % 2, column % 2))
        band = LEVELS[image] // 128
        for other in range(CHANNELS):
            for place, (down, right) in enumerate(TAPS):
                if 0 <= row + down < SHAPE[1] and 0 <= column + right < SHAPE[2]:
                    number = int(numbers[other, row + down, column + right, image])
                    found[channel, row, column, image] += (
                        int(weights[band, phase, channel, other, place]) * number
                    )
    return found


def test_predictions_are_the_sums_of_their_definition() -> None:
    found = known(SYMBOLS)
    sums = predicted_by_hand(PREDICTOR.symbols, SYMBOLS)
    assert (found.shift == (sums + 128) // 256).all()
    rest = sums - 256 * found.shift
    assert ((rest < 0) == (found.flip == -1)).all()
    errors = np.minimum(np.abs(SYMBOLS - found.shift), 127)
    magnitudes = predicted_by_hand(PREDICTOR.magnitudes, errors).astype(int)
    edges = np.array(linear_contexts._MAGNITUDE_EDGES)
    expected = 4 * np.digitize(magnitudes, edges)
    expected += np.digitize(np.abs(rest.astype(int)), (16, 43, 85))
    assert (found.contexts == expected).all()
    assert found.contexts.max() < CONTEXTS


def test_what_is_known_depends_on_earlier_waves_alone() -> None:
    before = known(SYMBOLS)
    unseen = SYMBOLS.copy()
    for wave in reversed(list(waves_of_phases(SHAPE))):
        unseen[wave.place] = 7
        for one, other in zip(known(unseen), before, strict=True):
            assert (one[wave.place] == other[wave.place]).all()


def test_images_have_no_effect_on_each_other() -> None:
    whole = known(SYMBOLS)
    for part, every in zip(known(SYMBOLS[..., :2]), whole, strict=True):
        assert (part == every[..., :2]).all()


def test_huge_symbols_are_as_large_as_the_largest() -> None:
    huge = np.where(SYMBOLS > 0, 2**20, -(2**20)).astype(np.int32)
    shift = known(huge).shift
    assert np.abs(shift).max() < 2**16
    assert (shift[0] == known(np.sign(huge) * 300)[1][0]).all()


@pytest.mark.parametrize(
    "weights",
    [
        PREDICTOR.symbols.astype(np.int64),
        PREDICTOR.symbols[0],
        PREDICTOR.symbols[:0],
        PREDICTOR.symbols[:, :3],
        PREDICTOR.symbols + 1,
        PREDICTOR.symbols * 100,
        np.concatenate([PREDICTOR.symbols, PREDICTOR.symbols[:1]]),
        np.concatenate([PREDICTOR.symbols] * 2),
    ],
)
def test_weights_that_are_none_are_refused(weights: np.ndarray) -> None:
    with pytest.raises(ValueError, match="weights"):
        replace(PREDICTOR, symbols=weights)
