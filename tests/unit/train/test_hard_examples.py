"""The losses of single images, and the epochs that show the hardest."""

from itertools import pairwise

import keras
import numpy as np
import pytest

from cifar_pipeline.dataset.channel_statistics import channel_statistics
from cifar_pipeline.params.optimizers import Adam
from cifar_pipeline.params.presets import ModelParams
from cifar_pipeline.train.batches import smoothed_targets
from cifar_pipeline.train.hard_examples import ImageLosses, ReportLosses
from cifar_pipeline.train.loop import Run, Split, fit
from networks import shipped, small
from synthetic import synthetic_split


def test_losses_of_images_are_those_of_their_labels_without_smoothing() -> None:
    labels = np.array([3, 1, 0, 2, 2], np.uint8)
    logits = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)
    metric = ImageLosses(7)
    for part in (slice(0, 3), slice(3, 5)):
        metric.update_state(smoothed_targets(labels[part], 4, 0.2), logits[part])
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    expected = -np.log(shares[np.arange(5), labels])
    assert np.allclose(metric.losses(), expected, rtol=1e-5)
    assert float(metric.result()) == pytest.approx(expected.mean(), rel=1e-5)
    metric.reset_state()
    assert metric.losses().size == 0


def watched_epochs(
    monkeypatch: pytest.MonkeyPatch, params: ModelParams, data: Split
) -> tuple[Run, list[tuple[np.ndarray, np.ndarray]]]:
    """Return a run, and what losses were known and which images shown in each epoch and after."""
    epochs: list[tuple[np.ndarray, np.ndarray]] = []

    class Watched(ReportLosses):
        def watch(self) -> None:
            epochs.append((self._batches.losses.copy(), self._batches.shown))

        def on_epoch_begin(self, epoch: int, logs: dict[str, object] | None = None) -> None:
            super().on_epoch_begin(epoch, logs)
            self.watch()

        def on_train_end(self, logs: dict[str, object] | None = None) -> None:
            self.watch()

    monkeypatch.setattr("cifar_pipeline.train.loop.ReportLosses", Watched)
    run = fit(params, 1, "float32", data, data, channel_statistics(data.images))
    return run, epochs


@pytest.mark.trains
def test_each_epoch_of_a_fit_shows_the_hardest_images(monkeypatch: pytest.MonkeyPatch) -> None:
    """With Keras' own order of callbacks, metrics and validation."""
    params = small(shipped("fast"), epochs=4, batch_size=10, hardest_share=0.5)
    _, epochs = watched_epochs(monkeypatch, params, Split(*synthetic_split(60, 0)))
    for (before, shown), (after, _) in pairwise(epochs):
        assert set(np.flatnonzero(before != after)) == set(shown)
        assert np.array_equal(np.sort(before[shown]), np.sort(before)[30:])
    assert [int(np.isinf(losses).sum()) for losses, _ in epochs] == [60, 30, 0, 0, 0]


@pytest.mark.trains
def test_a_loss_is_that_of_its_image(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a network that does not change, for which the epoch's end is as good as any moment."""
    data = Split(*synthetic_split(60, 0))
    blocks = {
        name: block.model_copy(update={"dropout": 0.0})
        for name, block in small(shipped("baseline")).blocks.items()
    }
    head = shipped("baseline").head.model_copy(update={"dropout": 0.0, "logit_scale": 30.0})
    still = Adam(name="adam", learning_rate=1e-30, weight_decay=0.0)
    params = small(shipped("baseline"), epochs=2, batch_size=7, optimizer=still).model_copy(
        update={"blocks": blocks, "head": head, "hardest_share": 0.5, "label_smoothing": 0.2}
    )
    run, epochs = watched_epochs(monkeypatch, params, data)
    logits = keras.ops.convert_to_numpy(run.network(data.images))
    expected = keras.ops.convert_to_numpy(
        keras.losses.sparse_categorical_crossentropy(data.labels, logits, from_logits=True)
    )
    learnt, _ = epochs[-1]
    assert np.isfinite(learnt).sum() == 56  # two epochs of four batches of seven
    assert expected.std() > 0.1
    assert np.allclose(learnt[np.isfinite(learnt)], expected[np.isfinite(learnt)], atol=1e-3)
