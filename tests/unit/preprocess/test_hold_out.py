"""Which training images become validation images."""

import numpy as np
import pytest

from cifar_pipeline.common.errors import ParamsError
from cifar_pipeline.preprocess.hold_out import hold_out


def test_hold_out_is_stratified_seeded_and_complete() -> None:
    labels = np.random.default_rng(0).permutation(np.repeat(np.arange(10, dtype=np.uint8), 50))
    train, validation = hold_out(labels, 10, 100, seed=1)
    assert np.bincount(labels[validation]).tolist() == [10] * 10
    assert sorted([*train, *validation]) == list(range(500))
    again = hold_out(labels, 10, 100, seed=1)
    assert np.array_equal(again[1], validation)
    assert not np.array_equal(hold_out(labels, 10, 100, seed=2)[1], validation)


@pytest.mark.parametrize("size", [15, 500, 5000])
def test_an_impossible_hold_out_is_refused(size: int) -> None:
    with pytest.raises(ParamsError, match="validation_images"):
        hold_out(np.repeat(np.arange(10, dtype=np.uint8), 50), 10, size, seed=1)
