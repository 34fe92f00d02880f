"""Short trainings on synthetic images, also ones that end in the middle."""

from pathlib import Path

import numpy as np

from cifar_pipeline.dataset.channel_statistics import channel_statistics
from cifar_pipeline.params.presets import ModelParams
from cifar_pipeline.train.checkpoint import Checkpoint, RunState
from cifar_pipeline.train.loop import Run, Split, fit
from networks import shipped, small
from synthetic import synthetic_split

KEY = {"params": "a", "data": "b"}
IMAGES, LABELS = synthetic_split(60, 0)
STATISTICS = channel_statistics(IMAGES)


class ProcessEndedError(Exception):
    """Stands for the end of the process."""


class InterruptedCheckpoint(Checkpoint):
    """Ends the run right after an epoch's state was kept."""

    def __init__(self, path: Path, after: int) -> None:
        super().__init__(path, KEY)
        self._after = after

    def save(self, state: RunState) -> None:
        super().save(state)
        if state.epoch == self._after:
            raise ProcessEndedError


def recipe(name: str, validation_freq: int = 1) -> ModelParams:
    """Return a preset of few filters with dropout, which overshoots its best epoch and stops."""
    params = small(shipped(name), epochs=9 * validation_freq, batch_size=16)
    stopping = params.early_stopping.model_copy(
        update={"patience": 2, "start_from_epoch": 1, "min_delta": 0.0}
    )
    # So many blocks are enough of a network, and a graph that is sooner traced. `baseline`, with
    # one, would not overshoot.
    last = "block2" if name == "baseline" else "block1"
    blocks = {name: params.blocks[name] for name in ("block1", last)}
    blocks[last] = blocks[last].model_copy(update={"dropout": 0.3})
    changes: dict[str, object] = {
        "early_stopping": stopping,
        "blocks": blocks,
        "validation_freq": validation_freq,
        # One of the presets with them is enough.
        "class_weight": "balanced" if name == "best" else "none",
    }
    if name == "baseline":
        faster = params.optimizer.model_copy(update={"learning_rate": 0.01 * validation_freq})
        changes["optimizer"] = faster
    return params.model_copy(update=changes)


def fitted(params: ModelParams, checkpoint: Checkpoint | None, precision: str = "float32") -> Run:
    """Train on the synthetic images; with class weights, on the same in unequal classes."""
    labels = np.minimum(LABELS, 3) if params.class_weight == "balanced" else LABELS
    split = Split(IMAGES, labels)
    return fit(params, 3, precision, split, split, STATISTICS, checkpoint)
