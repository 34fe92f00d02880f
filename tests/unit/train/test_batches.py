"""What an epoch shows, in which order, and with which targets."""

import numpy as np
import pytest

from cifar_pipeline.params.augmentation import Augmentation
from cifar_pipeline.train.batches import TrainingBatches, balanced_weights, smoothed_targets
from synthetic import synthetic_split


def test_targets_are_smoothed_as_szegedy_did() -> None:
    targets = smoothed_targets(np.array([1], np.uint8), 4, 0.2)
    assert targets.tolist() == [pytest.approx([0.05, 0.85, 0.05, 0.05])]
    assert targets.dtype == np.float32


def test_balanced_weights_are_worked_by_hand() -> None:
    weights = balanced_weights(np.array([0, 0, 0, 2, 0, 2], np.uint8), 3)
    # Four images of one class, two of another, none of the third: 6 / (2 * 4) and 6 / (2 * 2).
    assert weights.tolist() == [0.75, 0.75, 0.75, 1.5, 0.75, 1.5]
    assert weights.dtype == np.float32
    assert (balanced_weights(np.repeat(np.arange(10), 7), 10) == 1).all()


def test_a_batch_has_the_weights_of_its_images_where_there_are_any() -> None:
    images, labels = synthetic_split(50, 0)
    none = Augmentation(flip="none", translate=0, cutout=0)
    targets, weights = smoothed_targets(labels, 10, 0.0), np.arange(50, dtype=np.float32)
    plain = TrainingBatches(images, targets, 16, none, seed=1)
    weighted = TrainingBatches(images, targets, 16, none, seed=1, weights=weights)
    for step in range(len(plain)):
        (pixels, answers), (same, alike, chosen) = plain[step], weighted[step]
        assert np.array_equal(pixels, same)
        assert np.array_equal(answers, alike)
        assert np.array_equal(images[chosen.astype(int)], pixels)
    _, (answers, chosen) = weighted.changes(range(1, 3))
    assert np.array_equal(targets[chosen.astype(int)], answers)


def test_every_image_comes_once_an_epoch_in_a_new_order() -> None:
    images, labels = synthetic_split(50, 0)
    none = Augmentation(flip="none", translate=0, cutout=0)
    batches = TrainingBatches(images, smoothed_targets(labels, 10, 0.0), 16, none, seed=1)
    orders = []
    for _ in range(2):
        seen = [batches[step] for step in range(len(batches))]
        assert [len(targets) for _, targets in seen] == [16, 16, 16, 2]
        content = np.concatenate([pixels for pixels, _ in seen])
        assert content.dtype == np.uint8
        orders.append(content)
        rows = {image.tobytes() for image in content}
        assert rows == {image.tobytes() for image in images}
        batches.on_epoch_end()
    assert not np.array_equal(orders[0], orders[1])


def test_a_share_of_the_images_are_new_ones_first_and_then_the_hardest() -> None:
    images, labels = synthetic_split(50, 0)
    none = Augmentation(flip="none", translate=0, cutout=0)
    targets = smoothed_targets(labels, 10, 0.0)
    batches = TrainingBatches(images, targets, 5, none, seed=1, share=0.5)
    assert len(batches) == 5  # 25 images
    order = TrainingBatches(images, targets, 5, none, seed=1).shown
    assert np.array_equal(batches.shown, order[:25])
    losses = np.random.default_rng(0).random(50).astype(np.float32)
    batches.record_losses(batches.shown, losses[batches.shown])
    assert set(batches.shown) == set(order[25:])
    batches.record_losses(batches.shown, losses[batches.shown])
    assert set(batches.shown) == set(np.argsort(losses)[25:])
    assert batches.shown.tolist() == [index for index in order if index in set(batches.shown)]
    pixels, kept = zip(*(batches[step] for step in range(len(batches))), strict=True)
    assert np.array_equal(np.concatenate(pixels), images[batches.shown])
    assert np.array_equal(np.concatenate(kept), targets[batches.shown])
    before = batches.shown
    batches.on_epoch_end()
    assert set(batches.shown) == set(before)
    assert not np.array_equal(batches.shown, before)


@pytest.mark.parametrize(("share", "images"), [(1.0, 50), (0.99, 48), (0.01, 16), (0.6, 32)])
def test_a_share_is_whole_batches(share: float, images: int) -> None:
    pixels, labels = synthetic_split(50, 0)
    none = Augmentation(flip="none", translate=0, cutout=0)
    batches = TrainingBatches(pixels, smoothed_targets(labels, 10, 0.0), 16, none, 1, share)
    assert len(batches.shown) == images
    assert sum(len(batches[step][1]) for step in range(len(batches))) == images


def test_images_that_an_epoch_leaves_out_keep_their_way_round() -> None:
    images, labels = synthetic_split(50, 0)
    targets = smoothed_targets(labels, 10, 0.0)
    alternating = Augmentation(flip="alternating", translate=0, cutout=0)
    batches = TrainingBatches(images, targets, 5, alternating, seed=1, share=0.5)
    last: dict[int, bytes] = {}
    for epoch in range(6):
        contents = np.concatenate([batches[step][0] for step in range(len(batches))])
        for index, content in zip(batches.shown, contents, strict=True):
            other_way = content[:, ::-1].tobytes()
            assert last.setdefault(index, other_way) == other_way
            last[index] = content.tobytes()
        losses = np.random.default_rng(epoch).random(25).astype(np.float32)
        shown = batches.shown
        batches.on_epoch_end()
        batches.record_losses(shown, losses)
    assert batches.times_shown.sum() == 6 * 25
    assert len(set(batches.times_shown.tolist())) > 1
    assert len(last) == 50
