"""Muon's steps."""

import keras
import numpy as np
import pytest

from cifar_pipeline.optim.muon import orthogonalized


@pytest.mark.parametrize(("precision", "error"), [("float32", 1e-3), ("bfloat16", 5e-2)])
@pytest.mark.parametrize("shape", [(72, 8), (8, 72), (16, 16)])
def test_muon_s_steps_are_nearly_orthogonal(
    shape: tuple[int, int], precision: str, error: float
) -> None:
    matrix = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    result = np.array(orthogonalized(keras.ops.convert_to_tensor(matrix), precision))
    left, singular, right = np.linalg.svd(matrix, full_matrices=False)
    rotated = left.T @ result @ right.T
    # The same singular vectors; values from far apart to around 1, small ones not yet there.
    assert np.abs(rotated - np.diag(np.diag(rotated))).max() < error
    assert np.diag(rotated).max() < 1.5
    assert np.diag(rotated)[singular > singular.max() / 5].min() > 0.4
