"""Adam with steps of Muon for convolution kernels."""

import keras
import numpy as np
import pytest

from cifar_pipeline.optim.adam_muon import AdamMuon


@pytest.fixture
def variables() -> dict[str, keras.Variable]:
    """Return a kernel, one of a layer that is left to Adam, and a bias."""
    return {
        name: keras.Variable(np.zeros(shape, np.float32), name=name)
        for name, shape in (("kernel", (3, 3, 2, 6)), ("first", (3, 3, 2, 6)), ("bias", (6,)))
    }


def test_a_kernels_first_step_is_orthogonal_and_as_long_as_told(
    variables: dict[str, keras.Variable],
) -> None:
    optimizer = AdamMuon(0.1, kernel_ratio=2.0, kernel_momentum=0.9)
    optimizer.leave_to_adam(["first"])
    gradients = [
        keras.ops.convert_to_tensor(np.random.default_rng(at).normal(size=each.shape), "float32")
        for at, each in enumerate(variables.values())
    ]
    optimizer.build(list(variables.values()))
    optimizer.apply(gradients)
    steps = {name: np.asarray(each).reshape(-1, each.shape[-1]) for name, each in variables.items()}
    # A matrix (18, 6) with singular values about s has a root mean square of s / sqrt(18).
    values = np.linalg.svd(steps["kernel"], compute_uv=False) / (0.1 * 2.0 * 0.2 * 18**0.5)
    assert 0.5 < values.min() <= values.max() < 1.5
    # Adam's first step has the learning rate as its length in each place.
    for name in ("first", "bias"):
        np.testing.assert_allclose(np.abs(steps[name]), 0.1, rtol=0.01)


def test_its_configuration_makes_it_anew() -> None:
    optimizer = AdamMuon(0.1, 2.0, 0.8, "bfloat16")
    again = AdamMuon.from_config(optimizer.get_config())
    assert (again.kernel_ratio, again.kernel_momentum, again.precision) == (2.0, 0.8, "bfloat16")
