"""Mixed images by hand, and how often the classes of their source images are found."""

import numpy as np
import pytest

from cifar_pipeline.dataset.cifar10 import CLASS_NAMES
from cifar_pipeline.evaluate.mixed_images import (
    ALPHAS,
    SourcePair,
    blend,
    choose_pairs,
    collage,
    interpolate,
    most_confident_pairs,
    score_mixtures,
    score_probabilities,
)
from evaluation_results import predictions_of

DARK, BRIGHT = np.full((32, 32, 3), 10, np.uint8), np.full((32, 32, 3), 250, np.uint8)


@pytest.mark.parametrize(("alpha", "value"), [(0, 10), (0.25, 70), (0.5, 130), (1, 250)])
def test_a_blend_lies_between_its_source_images(alpha, value):
    found = blend(DARK, BRIGHT, alpha)
    assert found.dtype == np.uint8
    assert (found == value).all()


def test_a_collage_is_a_left_and_a_right_half():
    found = collage(DARK, BRIGHT)
    assert found.shape == DARK.shape
    assert (found[:, :16] == 10).all()
    assert (found[:, 16:] == 250).all()


def test_source_images_are_the_first_correct_ones_of_every_pair_of_classes():
    labels = np.array([0, 1, 2, 0, 1, 2, 0, 1, 2], np.uint8)
    predicted = np.array([1, 1, 2, 0, 1, 0, 0, 1, 2])  # image 0 is wrong, and image 5
    found = choose_pairs(labels, predicted, classes=3, each=2)
    assert [(pair.first, pair.second) for pair in found] == [
        *[(3, 1), (6, 4)],
        *[(3, 2), (6, 8)],
        *[(1, 2), (4, 8)],
    ]
    assert [pair.classes for pair in found] == [(0, 1)] * 2 + [(0, 2)] * 2 + [(1, 2)] * 2


def test_a_class_that_is_never_correct_gives_no_source_images():
    found = choose_pairs(np.array([0, 1, 2]), np.array([0, 0, 2]), classes=3)
    assert [pair.classes for pair in found] == [(0, 2)]


def test_scores_of_mixed_images_by_hand():
    pairs = [SourcePair(0, 1, (0, 1)), SourcePair(0, 2, (0, 2)), SourcePair(1, 2, (1, 2))]
    probabilities = np.array([[0.3, 0.6, 0.1], [0.5, 0.4, 0.1], [0.8, 0.1, 0.1]], np.float32)
    found = score_probabilities(probabilities, pairs)
    # Both of the first, one of the second on the first place, of the third one on the second.
    assert (found.number, found.both_in_top_two, found.predicted_is_source) == (3, 1, 2)
    assert found.mean_confidence == pytest.approx((0.6 + 0.5 + 0.8) / 3)


def brightness(images):
    """A model of two classes: the brighter an image, the likelier the second."""
    share = images.mean(axis=(1, 2, 3)) / 255
    return np.stack([1 - share, share, np.zeros_like(share)], axis=1).astype(np.float32)


def test_an_interpolation_goes_from_one_source_image_to_the_other():
    images = np.stack([DARK, BRIGHT])
    found = interpolate(brightness, images, SourcePair(0, 1, (0, 1)))
    assert found.probabilities.shape == (len(ALPHAS), 3)
    assert (np.diff(found.probabilities[:, 1]) > 0).all()
    np.testing.assert_array_equal(found.blends[0], DARK)
    np.testing.assert_array_equal(found.blends[-1], BRIGHT)
    np.testing.assert_allclose(found.collage_probabilities, brightness(found.collage[None])[0])


def test_blends_and_collages_are_counted():
    def predict(images):
        """A model that knows even grey for a mixture of its first classes, and all else for 2."""
        even = (images == 130).all(axis=(1, 2, 3))
        return np.where(even[:, None], [[0.5, 0.4, 0.1]], [[0.2, 0.0, 0.8]]).astype(np.float32)

    images = np.stack([DARK, BRIGHT])
    blends, collages = score_mixtures(
        predict, images, [SourcePair(0, 1, (0, 1)), SourcePair(1, 0, (1, 2))]
    )
    assert (blends.number, blends.both_in_top_two, blends.predicted_is_source) == (2, 1, 1)
    assert (collages.number, collages.both_in_top_two, collages.predicted_is_source) == (2, 0, 1)
    halves = np.concatenate([DARK[:, :16], BRIGHT[:, 16:]], axis=1)
    seen = []
    score_mixtures(
        lambda images: seen.append(images) or predict(images), images, [SourcePair(0, 1, (0, 1))]
    )
    np.testing.assert_array_equal(seen[1][0], halves)


@pytest.mark.parametrize(("classes", "pairs"), [(2, 10), (10, 450), (11, 495), (40, 390)])
def test_many_classes_share_the_pairs(classes, pairs):
    labels = np.repeat(np.arange(classes), 10)
    found = choose_pairs(labels, labels, classes)
    assert len(found) == pairs
    assert {kind for pair in found for kind in pair.classes} == set(range(classes))


def test_shown_source_images_are_the_most_confident_correct_ones() -> None:
    labels = [3, 3, 5, 5, 0, 0]
    probabilities = np.full((6, 10), 0.01)
    for at, (predicted, share) in enumerate(
        [(3, 0.5), (3, 0.8), (3, 0.9), (5, 0.6), (0, 0.4), (0, 0.7)]
    ):
        probabilities[at, predicted] = share
    found = most_confident_pairs(predictions_of(CLASS_NAMES, probabilities, labels))
    # Dog and airplane, cat and dog: those of 2017 lead; a wrong image, however sure, is none.
    assert [(pair.first, pair.second) for pair in found] == [(3, 5), (1, 3), (5, 1)]
    assert found[0].classes == (5, 0)
