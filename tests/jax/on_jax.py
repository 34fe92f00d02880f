"""Tests of training with Keras' JAX backend; test_jax.py runs them in a process of their own.

What a GPU is given, groups of batches, a CPU takes too, only more slowly.
"""

from pathlib import Path
from typing import Any

import jax
import keras
import numpy as np
import pytest
from keras import ops

from cifar_pipeline.network.build import build_saved_network, build_training_network
from cifar_pipeline.network.pooling import TiledMaxPooling2D
from cifar_pipeline.network.whitening import whitening_filters
from cifar_pipeline.params.augmentation import Augmentation
from cifar_pipeline.params.presets import ModelParams
from cifar_pipeline.train import loop, scanned_steps
from cifar_pipeline.train.augmentation import Augmenter, augmented, augmented_on_device
from cifar_pipeline.train.batches import TrainingBatches, smoothed_targets
from cifar_pipeline.train.checkpoint import Checkpoint
from cifar_pipeline.train.loop import Run
from cifar_pipeline.train.scanned_steps import GroupedBatches, ScannedModel, group_size
from networks import shipped
from schemas import all_on, each_on
from synthetic import synthetic_split
from training_runs import (
    IMAGES,
    KEY,
    LABELS,
    STATISTICS,
    InterruptedCheckpoint,
    ProcessEndedError,
    fitted,
)


def recipe(name: str) -> ModelParams:
    """Return a preset with one small block, slow enough that rounding does not grow."""
    params = shipped(name)
    changes: dict[str, Any] = {
        "class_weight": "balanced" if name == "gpu96" else "none",
        "epochs": 2,
        "batch_size": 7,
        "convolution": "direct",
        # No epoch after the first is an improvement by this min_delta, but the best one is kept.
        "early_stopping": params.early_stopping.model_copy(
            update={"start_from_epoch": 0, "min_delta": 10.0}
        ),
        "blocks": {
            "block1": params.blocks["block1"].model_copy(
                update={"filters": 8, "convolutions": 2, "shortcut": False}
            )
        },
        "optimizer": params.optimizer.model_copy(
            update={
                name: 0.01 * value
                for name, value in params.optimizer
                if str(name).endswith("learning_rate")
            }
        ),
    }
    return params.model_copy(update=changes)


def weights(run: Run) -> list[np.ndarray]:
    return list(run.network.get_weights())


def test_jax_is_what_runs() -> None:
    assert keras.backend.backend() == "jax"


@pytest.mark.parametrize("params", [*each_on(Augmentation), all_on(Augmentation)], ids=str)
def test_both_forms_of_an_augmentation_agree_to_the_pixel(params: Augmentation) -> None:
    augmenter = Augmenter(IMAGES, params, seed=5)
    changes = augmenter.changes(np.array([7, 0, 39, 7, 12]))
    on_device = jax.jit(augmented_on_device)(IMAGES, augmenter.fill, changes)
    by_numpy = augmented(IMAGES, augmenter.fill, changes)
    assert on_device.dtype == by_numpy.dtype
    assert np.array_equal(on_device, by_numpy)


@pytest.mark.parametrize("cutout", [0, 8])
def test_the_device_augments_to_the_same_pixels(cutout: int) -> None:
    changes = Augmentation(flip="alternating", translate=3, cutout=cutout)
    targets = smoothed_targets(LABELS, 10, 0.2)
    batches = TrainingBatches(IMAGES, targets, 7, changes, seed=5)
    groups = GroupedBatches(batches)
    seen: list[Any] = []

    class Watched(ScannedModel):
        """Tells what it is given to learn from."""

        def compute_loss(self, x: Any = None, y: Any = None, *others: Any, **more: Any) -> Any:
            if x is not None:
                jax.debug.callback(lambda *batch: seen.append(batch), x, y, ordered=True)
            return super().compute_loss(x, y, *others, **more)

    pixels = keras.Input((32, 32, 3))
    outputs = keras.layers.Dense(10)(keras.layers.Flatten()(pixels))
    network = Watched(pixels, outputs)
    network.compile("sgd", keras.losses.CategoricalCrossentropy(from_logits=True))
    loop._build_training_state(network, 10)
    seen.clear()
    network.fit(groups, epochs=1, verbose=0, shuffle=False)
    jax.effects_barrier()
    twin = TrainingBatches(IMAGES, targets, 7, changes, seed=5)
    twin.start_epoch(batches.epoch - 1)  # the one that `fit` went through
    expected = [twin[step] for step in range(len(twin))]
    assert [len(images) for images, _ in expected] == [7] * 8 + [4]
    assert len(seen) == len(expected)
    for (images, targets), (pixels, answers) in zip(expected, seen, strict=True):
        assert np.array_equal(images, pixels)
        assert np.array_equal(targets, answers)


@pytest.mark.parametrize(
    ("batches", "size"),
    [(180, 20), (200, 25), (100, 25), (45, 15), (50, 25), (90, 18), (97, 25), (11, 11), (3, 25)],
)
def test_groups_are_of_one_size_where_that_can_be(batches: int, size: int) -> None:
    assert group_size(batches) == size


@pytest.mark.parametrize("images", [60, 61, 3, 130])
def test_every_batch_is_in_one_group(images: int) -> None:
    pictures, labels = synthetic_split(images, 0)
    changes = Augmentation(flip="none", translate=0, cutout=0)
    batches = TrainingBatches(pictures, smoothed_targets(labels, 10, 0.0), 4, changes, seed=1)
    groups = GroupedBatches(batches)
    indices = [groups[number][0][2].indices for number in range(len(groups))]
    assert np.array_equal(np.concatenate([part.ravel() for part in indices]), batches.shown)
    assert {part.shape[1] for part in indices[:-1]} <= {4}
    assert indices[-1].shape[1] == (images % 4 or 4)


@pytest.mark.parametrize("side", [4, 7])
def test_tiled_pooling_is_max_pooling(side: int) -> None:
    maps = np.random.default_rng(side).normal(size=(3, side, side, 2)).astype(np.float32)
    tiled, plain = TiledMaxPooling2D(2), keras.layers.MaxPooling2D(2)
    assert np.array_equal(tiled(maps), plain(maps))
    weights = ops.arange(tiled(maps).size, dtype="float32").reshape(tiled(maps).shape)
    gradients = [
        jax.grad(lambda values, layer=layer: (layer(values) * weights).sum())(maps)
        for layer in (tiled, plain)
    ]
    assert np.array_equal(*gradients)


@pytest.mark.parametrize("name", ["fast", "gpu96"])
def test_groups_train_as_batch_by_batch(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """But for rounding; and to the same bits when a run is interrupted and taken up again.

    `fast` leaves images out, and so has no smaller last batch; gpu96 has, and Lookahead, and here
    class weights.
    """
    params = recipe(name)
    by_batch = fitted(params, None)
    monkeypatch.setattr(loop, "keeps_images_on_device", lambda: True)
    monkeypatch.setattr(loop, "_GPU_CHECKPOINT_SECONDS", 0.0)
    monkeypatch.setattr(scanned_steps, "_SIZES", range(3, 2, -1))  # eight whole batches: 3, 3 and 2
    in_groups = fitted(params, None)
    assert isinstance(in_groups.network, ScannedModel)
    assert not isinstance(by_batch.network, ScannedModel)
    measures = ["loss", "val_loss", "learning_rate"]
    assert np.allclose(
        by_batch.history[measures], in_groups.history[measures], 1e-3, equal_nan=True
    )
    keras.utils.set_random_seed(3)
    filters = whitening_filters(IMAGES, STATISTICS, params.whitening_filters)
    untrained = build_training_network(params, STATISTICS, 10, "float32", filters).get_weights()
    for first, *trained in zip(untrained, weights(by_batch), weights(in_groups), strict=True):
        learnt = np.linalg.norm(trained[0] - first)
        assert np.linalg.norm(trained[0] - trained[1]) <= 0.02 * learnt
    saved = build_saved_network(params, STATISTICS, in_groups.network)
    logits = in_groups.network.predict(IMAGES, verbose=0)
    assert np.allclose(saved.predict(IMAGES, verbose=0), ops.softmax(logits), atol=1e-4)
    path = tmp_path / "checkpoint"
    with pytest.raises(ProcessEndedError):
        fitted(params, InterruptedCheckpoint(path, after=1))
    taken_up = fitted(params, Checkpoint(path, KEY))
    assert all(map(np.array_equal, weights(taken_up), weights(in_groups)))
    assert taken_up.best_epoch == in_groups.best_epoch == by_batch.history["val_loss"].idxmin() + 1
    assert by_batch.best_epoch == 2


def test_groups_are_trained_without_a_backup_each_moment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Its saving would take as long as an epoch on a GPU."""
    monkeypatch.setattr(loop, "keeps_images_on_device", lambda: True)
    monkeypatch.setattr(loop, "_GPU_CHECKPOINT_SECONDS", 3600.0)
    path = tmp_path / "checkpoint"
    fitted(recipe("fast"), Checkpoint(path, KEY))
    assert not path.exists()
