"""Fit the weights of a `Predictor` to symbols of training images, by least squares."""

import numpy as np

from cifar_pipeline.codec.linear_contexts import (
    LARGEST,
    TAPS,
    UNIT,
    Predictor,
    known_places,
)
from cifar_pipeline.codec.waves import LEVELS, PHASES

BANDS = 8
# Of the diagonal: a symbol that is hardly ever other than 0 gets small weights.
_RIDGE = 10.0


def fit_predictor(levels: list[int], symbols: list[np.ndarray]) -> Predictor:
    """Return the predictor whose squared errors are the least.

    Args:
        levels: of each of `symbols`. Each eighth of all levels is a band with weights of its own.
        symbols: of the same training images at each level, int32 (images, rows, columns, channels).
    """
    found = [_fit_band(_of_band(band, levels, symbols)) for band in range(BANDS)]
    of_symbols, of_magnitudes = (np.stack(each) for each in zip(*found, strict=True))
    return Predictor(of_symbols, of_magnitudes)


def _of_band(band: int, levels: list[int], symbols: list[np.ndarray]) -> list[np.ndarray]:
    """Return the symbols of a band, or else those of the level that is nearest to it."""
    width = LEVELS // BANDS
    inside = [each for level, each in zip(levels, symbols, strict=True) if level // width == band]
    middle = width * band + width // 2
    nearest = min(range(len(levels)), key=lambda at: abs(levels[at] - middle))
    return inside or [symbols[nearest]]


def _fit_band(symbols: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Return the weights of both predictors for a band, int32."""
    channels = symbols[0].shape[-1]
    weights = np.zeros((2, *known_places(channels).shape), np.int32)
    magnitudes = [np.zeros(each.shape, np.float32) for each in symbols]
    clipped = [np.clip(each, -LARGEST["symbols"], LARGEST["symbols"]) for each in symbols]
    for phase in range(len(PHASES)):
        around = [_around(each, phase) for each in clipped]
        weights[0, phase] = _least_squares(around, symbols, phase)
        flat = weights[0, phase].reshape(channels, -1).T.astype(np.float32) / UNIT
        for near, each, magnitude in zip(around, symbols, magnitudes, strict=True):
            places = _places(phase)
            predicted = np.rint(near @ flat).reshape(magnitude[:, *places].shape)
            magnitude[:, *places] = np.abs(each[:, *places] - predicted)
    magnitudes = [np.minimum(each, LARGEST["magnitudes"]) for each in magnitudes]
    for phase in range(len(PHASES)):
        around = [_around(each, phase) for each in magnitudes]
        weights[1, phase] = _least_squares(around, magnitudes, phase)
    return weights[0], weights[1]


def _places(phase: int) -> tuple[slice, slice]:
    row, column = PHASES[phase]
    return slice(row, None, 2), slice(column, None, 2)


def _around(numbers: np.ndarray, phase: int) -> np.ndarray:
    """Return the numbers around the places of a phase, float32 (places, channels * 9)."""
    _, rows, columns, _ = numbers.shape
    padded = np.pad(numbers.astype(np.float32), ((0, 0), (1, 1), (1, 1), (0, 0)))
    row, column = PHASES[phase]
    views = [
        padded[
            :, 1 + row + down : 1 + rows + down : 2, 1 + column + right : 1 + columns + right : 2
        ]
        for down, right in TAPS
    ]
    return np.stack(views, axis=-1).reshape(-1, numbers.shape[-1] * len(TAPS))


def _least_squares(around: list[np.ndarray], targets: list[np.ndarray], phase: int) -> np.ndarray:
    """Return weights in units of 1/256, int32 (channels, channels, places)."""
    channels = targets[0].shape[-1]
    width = channels * len(TAPS)
    products, matches = np.zeros((width, width)), np.zeros((width, channels))
    for near, each in zip(around, targets, strict=True):
        products += near.T @ near
        matches += near.T @ each[:, *_places(phase)].reshape(-1, channels).astype(np.float32)
    products[np.diag_indices_from(products)] += _RIDGE
    known = known_places(channels)[phase].reshape(channels, -1)
    weights = np.zeros(known.shape)
    for channel, places in enumerate(known):
        if places.any():
            some = products[np.ix_(places, places)]
            weights[channel, places] = np.linalg.solve(some, matches[places, channel])
    return np.rint(UNIT * weights).astype(np.int32).reshape(channels, channels, len(TAPS))
