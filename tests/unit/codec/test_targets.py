import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cifar_pipeline.codec.targets import nearest_levels


@settings(deadline=None)
@given(st.floats(-3, 300), st.floats(0.1, 5))
def test_the_nearest_level_is_found_where_the_number_rises(target: float, power: float) -> None:
    def value(levels: np.ndarray) -> np.ndarray:
        return 255 * (levels / 255.0) ** power * np.array([1, 0.5])

    found = nearest_levels(value, target, 2)
    whole = np.stack([value(np.full(2, level)) for level in range(256)])
    least = np.abs(whole - target).min(axis=0)
    assert np.abs(value(found) - target) == pytest.approx(least)


def test_a_step_down_on_the_way_does_no_harm() -> None:
    bumps = np.arange(256) + 3 * (-1) ** np.arange(256)
    for target in range(20, 230, 7):
        found = nearest_levels(lambda levels: bumps[levels], target, 1)
        assert abs(bumps[found[0]] - target) <= 1
