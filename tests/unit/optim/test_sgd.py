"""SGD with a rate of its own for offsets, and with Lookahead, against the same by hand."""

from typing import Any

import keras
import numpy as np
import pytest

from cifar_pipeline.optim.muon import ConvolutionMuon
from cifar_pipeline.optim.sgd import BiasRateSGD, LookaheadSGD
from networks import normal

pytestmark = pytest.mark.trains

STEPS = 12
RATE, MOMENTUM, DECAY, RATIO = 0.1, 0.8, 0.02, 5.0
GRADIENTS = [normal(4, 3) * scale for scale in np.linspace(1, -0.5, STEPS, dtype=np.float32)]


def stepped(optimizer: keras.optimizers.Optimizer, *variables: Any) -> list[np.ndarray]:
    """Return the variables after a step for each gradient; a vector gets its first row."""
    variables = [keras.Variable(values) for values in variables]
    optimizer.build(variables)
    for gradient in GRADIENTS:
        optimizer.apply_gradients(
            [(keras.ops.convert_to_tensor(_shaped(gradient, v)), v) for v in variables]
        )
    return [keras.ops.convert_to_numpy(variable) for variable in variables]


def _shaped(gradient: np.ndarray, variable: Any) -> np.ndarray:
    return gradient if len(variable.shape) == 2 else gradient[0]


def by_hand(values: np.ndarray, rate: float, interval: int, share: float) -> np.ndarray:
    """Follow PyTorch's formulas (the momentum without the rate), decay decoupled."""
    average, velocity = values, np.zeros_like(values)
    for step, gradient in enumerate(GRADIENTS, 1):
        gradient = gradient if values.ndim == 2 else gradient[0]
        velocity = MOMENTUM * velocity + gradient
        values = values * (1 - DECAY * RATE) - rate * (gradient + MOMENTUM * velocity)
        if interval and step % interval == 0:
            weight = share * (step / STEPS) ** 3
            average = weight * average + (1 - weight) * values
            values = average
    return values


@pytest.mark.parametrize("interval", [0, 1, 3, 5, 100])
def test_lookahead_averages_what_nesterov_steps_reach(interval: int) -> None:
    optimizer = LookaheadSGD(RATE, MOMENTUM, DECAY, RATIO, STEPS, interval, share=0.75)
    kernel, offset = stepped(optimizer, normal(4, 3), normal(3))
    assert np.allclose(kernel, by_hand(normal(4, 3), RATE, interval, 0.75), atol=1e-5)
    assert np.allclose(offset, by_hand(normal(3), RATE * RATIO, interval, 0.75), atol=1e-5)
    without = by_hand(normal(4, 3), RATE, 0, 0)
    assert np.allclose(kernel, without, atol=1e-4) == (interval in (0, 100))


def test_what_lookahead_averages_begins_as_the_weights() -> None:
    """Else the first averages would draw them towards 0."""
    optimizer = LookaheadSGD(0.0, MOMENTUM, None, RATIO, STEPS, 1, share=1.0)
    assert np.array_equal(*stepped(optimizer, normal(4, 3)), normal(4, 3))


@pytest.mark.parametrize(
    "optimizer",
    [
        BiasRateSGD(RATE, MOMENTUM, DECAY, RATIO),
        LookaheadSGD(RATE, MOMENTUM, DECAY, RATIO, STEPS, 3),
        ConvolutionMuon(RATE, MOMENTUM, DECAY, 0.5, 0.6, RATIO),
    ],
    ids=lambda optimizer: type(optimizer).__name__,
)
def test_an_optimizer_is_made_again_from_its_configuration(
    optimizer: keras.optimizers.Optimizer,
) -> None:
    again = type(optimizer).from_config(optimizer.get_config())
    for one, other in zip(
        stepped(optimizer, normal(4, 3), normal(3)),
        stepped(again, normal(4, 3), normal(3)),
        strict=True,
    ):
        assert np.array_equal(one, other)
