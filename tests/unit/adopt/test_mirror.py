"""The probe finds classes that mirrored copies would spoil, and no others."""

import numpy as np
import pytest

from cifar_pipeline.adopt.mirror import FEWEST_IMAGES, SIDE, features, mirror_test, p_of_loss


def wedges(number: int, seed: int, turned: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return images of wedges that point left or right, or (turned) up or down; and labels."""
    random = np.random.default_rng(seed)
    images = random.integers(0, 80, (number, SIDE, SIDE, 3)).astype(np.uint8)
    labels = (np.arange(number) % 2).astype(np.uint8)
    rows, columns = np.mgrid[:9, :9]
    wedge = np.abs(rows - 4) * 2 <= columns
    for image, label in zip(images, labels, strict=True):
        top, left = random.integers(0, SIDE - 8, 2)
        shape = wedge[:, ::-1] if label else wedge
        place = image[top : top + 9, left : left + 9]
        place[shape.T if turned else shape] += random.integers(100, 170, 3).astype(np.uint8)
    return images, labels


@pytest.mark.parametrize("seed", range(2))
def test_left_and_right_matter_where_classes_are_mirrored(seed: int) -> None:
    found = mirror_test(*wedges(120, seed, turned=False))
    assert found is not None
    assert found.matters
    assert found.images == 120
    assert found.accuracy > 0.8
    assert found.mirrored < 0.3
    assert found.with_copies < 0.7
    assert set(found.classes) <= {0, 1}


@pytest.mark.parametrize("seed", range(2))
def test_up_and_down_is_not_left_and_right(seed: int) -> None:
    found = mirror_test(*wedges(120, seed, turned=True))
    assert found is not None
    assert not found.matters
    assert found.mirrored > 0.8
    assert found.classes == ()


def test_without_classes_to_tell_nothing_matters() -> None:
    random = np.random.default_rng(1)
    images = random.integers(0, 256, (300, SIDE, SIDE, 3)).astype(np.uint8)
    found = mirror_test(images, (np.arange(300) % 3).astype(np.uint8))
    assert found is not None
    assert not found.matters


def test_two_classes_among_many_are_found() -> None:
    """Their loss alone is little of all: 2 of 12 classes lose a half."""
    wedge_images, wedge_labels = wedges(80, 1, turned=False)
    random = np.random.default_rng(2)
    colours = random.integers(0, 256, (10, 1, 1, 3))
    labels = np.arange(1500) % 10
    plain = np.clip(colours[labels] + random.integers(-9, 10, (1500, SIDE, SIDE, 3)), 0, 255)
    order = random.permutation(1580)
    images = np.concatenate([wedge_images, plain.astype(np.uint8)])[order]
    found = mirror_test(images, np.concatenate([wedge_labels, labels + 2]).astype(np.uint8)[order])
    assert found is not None
    assert found.accuracy - found.with_copies < 0.03
    assert found.matters
    assert set(found.classes) <= {0, 1}


def test_few_images_say_nothing() -> None:
    images, labels = wedges(FEWEST_IMAGES, 1, turned=False)
    assert mirror_test(images, labels) is not None
    assert mirror_test(images[1:], labels[1:]) is None
    assert mirror_test(images, np.zeros_like(labels)) is None


@pytest.mark.parametrize(
    ("lost", "won", "p"),
    [(0, 0, 1.0), (5, 0, 1 / 32), (3, 1, 5 / 16), (0, 4, 1.0), (2, 2, 11 / 16)],
)
def test_the_exact_test_of_mcnemar(lost: int, won: int, p: float) -> None:
    """By hand: of lost + won tosses of a coin, at least `lost` heads."""
    before = np.array([True] * lost + [False] * won + [True] * 7 + [False] * 2)
    after = np.array([False] * lost + [True] * won + [True] * 7 + [False] * 2)
    assert p_of_loss(before, after) == p


def test_many_answers_are_no_matter() -> None:
    before = np.arange(20_000) % 2 == 0
    assert 0.49 < p_of_loss(before, ~before) < 0.51


def test_features_of_an_edge() -> None:
    """Dark left, light right: gradients point right, direction 0, in the two middle columns."""
    image = np.zeros((1, SIDE, SIDE, 3), np.uint8)
    image[:, :, SIDE // 2 :] = 255
    found = features(image)
    assert found.shape == (1, 320)
    assert found.dtype == np.float32
    histograms = found[0, :128].reshape(4, 4, 8)
    assert np.count_nonzero(histograms) == 8
    np.testing.assert_allclose(histograms[:, 1:3, 0], 3 / np.sqrt(8), rtol=1e-5)
    # Mirrored it points left, direction 4.
    mirrored = features(image[:, :, ::-1])[0, :128].reshape(4, 4, 8)
    np.testing.assert_allclose(mirrored[:, 1:3, 4], 3 / np.sqrt(8), rtol=1e-5)
    np.testing.assert_array_equal(found[0, 128:].reshape(8, 8, 3)[:, :4], 0)
    np.testing.assert_array_equal(found[0, 128:].reshape(8, 8, 3)[:, 4:], 1)
