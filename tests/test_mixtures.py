"""Mixed images by hand, and the count of parents that are found again."""

import numpy as np
import pytest

from cifar_pipeline.evaluate.mixed_images import (
    ALPHAS,
    Parents,
    blended,
    choose_parents,
    collage,
    judge,
    sweep,
    top_two,
)

DARK, BRIGHT = np.full((32, 32, 3), 10, np.uint8), np.full((32, 32, 3), 250, np.uint8)


@pytest.mark.parametrize(("alpha", "value"), [(0, 10), (0.25, 70), (0.5, 130), (1, 250)])
def test_a_blend_lies_between_its_parents(alpha, value):
    found = blended(DARK, BRIGHT, alpha)
    assert found.dtype == np.uint8
    assert (found == value).all()


def test_a_collage_is_a_left_and_a_right_half():
    found = collage(DARK, BRIGHT)
    assert found.shape == DARK.shape
    assert (found[:, :16] == 10).all()
    assert (found[:, 16:] == 250).all()


def test_parents_are_the_first_right_images_of_every_pair_of_classes():
    labels = np.array([0, 1, 2, 0, 1, 2, 0, 1, 2], np.uint8)
    predicted = np.array([1, 1, 2, 0, 1, 0, 0, 1, 2])  # image 0 is wrong, and image 5
    found = choose_parents(labels, predicted, classes=3, each=2)
    assert [(pair.first, pair.second) for pair in found] == [
        *[(3, 1), (6, 4)],
        *[(3, 2), (6, 8)],
        *[(1, 2), (4, 8)],
    ]
    assert [pair.classes for pair in found] == [(0, 1)] * 2 + [(0, 2)] * 2 + [(1, 2)] * 2


def test_a_class_that_is_never_right_has_no_parents():
    found = choose_parents(np.array([0, 1, 2]), np.array([0, 0, 2]), classes=3)
    assert [pair.classes for pair in found] == [(0, 2)]


def test_top_two_by_hand():
    parents = [Parents(0, 1, (0, 1)), Parents(0, 2, (0, 2)), Parents(1, 2, (1, 2))]
    probabilities = np.array([[0.3, 0.6, 0.1], [0.5, 0.4, 0.1], [0.8, 0.1, 0.1]], np.float32)
    found = top_two(probabilities, parents)
    # Both of the first, one of the second on the first place, of the third one on the second.
    assert (found.number, found.both, found.likeliest) == (3, 1, 2)
    assert found.confidence == pytest.approx((0.6 + 0.5 + 0.8) / 3)


def brightness(images):
    """A model of two classes: the brighter an image, the likelier the second."""
    share = images.mean(axis=(1, 2, 3)) / 255
    return np.stack([1 - share, share, np.zeros_like(share)], axis=1).astype(np.float32)


def test_a_sweep_goes_from_one_parent_to_the_other():
    images = np.stack([DARK, BRIGHT])
    found = sweep(brightness, images, Parents(0, 1, (0, 1)))
    assert found.probabilities.shape == (len(ALPHAS), 3)
    assert (np.diff(found.probabilities[:, 1]) > 0).all()
    np.testing.assert_array_equal(found.blends[0], DARK)
    np.testing.assert_array_equal(found.blends[-1], BRIGHT)
    np.testing.assert_allclose(found.of_collage, brightness(found.collage[None])[0])


def test_judge_counts_blends_and_collages():
    def predict(images):
        """A model that knows even grey for a mixture of its first classes, and all else for 2."""
        even = (images == 130).all(axis=(1, 2, 3))
        return np.where(even[:, None], [[0.5, 0.4, 0.1]], [[0.2, 0.0, 0.8]]).astype(np.float32)

    images = np.stack([DARK, BRIGHT])
    blends, collages = judge(predict, images, [Parents(0, 1, (0, 1)), Parents(1, 0, (1, 2))])
    assert (blends.number, blends.both, blends.likeliest) == (2, 1, 1)
    assert (collages.number, collages.both, collages.likeliest) == (2, 0, 1)
    halves = np.concatenate([DARK[:, :16], BRIGHT[:, 16:]], axis=1)
    seen = []
    judge(lambda images: seen.append(images) or predict(images), images, [Parents(0, 1, (0, 1))])
    np.testing.assert_array_equal(seen[1][0], halves)


@pytest.mark.parametrize(("classes", "pairs"), [(2, 10), (10, 450), (11, 495), (40, 390)])
def test_many_classes_share_the_pairs(classes, pairs):
    labels = np.repeat(np.arange(classes), 10)
    found = choose_parents(labels, labels, classes)
    assert len(found) == pairs
    assert {kind for pair in found for kind in pair.classes} == set(range(classes))
