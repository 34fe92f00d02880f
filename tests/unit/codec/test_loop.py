"""A training of the codec: better than where it began, to the bit, and resumed after an end."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cifar_pipeline.codec.loop import fit_baseline, fit_codec
from cifar_pipeline.codec.params import Recipe
from cifar_pipeline.train.checkpoint import Checkpoint
from codec_trainings import baseline, preset
from synthetic import synthetic_split
from training_runs import KEY, InterruptedCheckpoint, ProcessEndedError

pytestmark = pytest.mark.trains
IMAGES = synthetic_split(48, 0)[0]


@pytest.mark.parametrize(
    ("fit", "params"), [(fit_codec, preset()), (fit_baseline, baseline())], ids=["codec", "2017"]
)
def test_a_resumed_run_is_the_uninterrupted_one_to_the_bit(
    tmp_path: Path, fit: Callable[..., Any], params: Recipe
) -> None:
    given = (params, 3, "float32", IMAGES, IMAGES)
    networks, run = fit(*given)
    assert run.history["val_loss"].iloc[-1] < run.history["val_loss"].iloc[0]
    assert run.history.notna().all(axis=None)
    path = tmp_path / "training.backup"
    with pytest.raises(ProcessEndedError):
        fit(*given, InterruptedCheckpoint(path, after=1))
    resumed, again = fit(*given, Checkpoint(path, KEY))
    pd.testing.assert_frame_equal(run.history, again.history, check_exact=True)
    for network, other in zip(networks, resumed, strict=True):
        for value, found in zip(network.get_weights(), other.get_weights(), strict=True):
            assert np.array_equal(value, found)
