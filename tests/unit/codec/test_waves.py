import numpy as np
import pytest

from cifar_pipeline.codec.waves import waves_of_groups, waves_of_phases


@pytest.mark.parametrize("shape", [(1, 1, 1), (5, 8, 8), (3, 1, 7), (2, 5, 2)])
def test_waves_cover_each_symbol_once(shape: tuple[int, int, int]) -> None:
    for waves in (waves_of_groups(shape, 2), waves_of_phases(shape)):
        seen = np.zeros(shape, int)
        for wave in waves:
            seen[wave.place] += 1
        assert (seen == 1).all()
