"""Which images are held out for validation, or for testing."""

import hashlib

import numpy as np
import pytest

from cifar_pipeline.common.errors import ParamsError
from cifar_pipeline.dataset.cifar10 import CLASS_NAMES
from cifar_pipeline.preprocess.hold_out import held_of_each, hold_out

NAMES = ("cat", "dog", "frog")


def labels_of(*sizes: int) -> np.ndarray:
    """Return labels of classes of these sizes in a random order."""
    ordered = np.repeat(np.arange(len(sizes), dtype=np.uint8), sizes)
    return np.random.default_rng(0).permutation(ordered)


def test_hold_out_is_stratified_seeded_and_complete() -> None:
    labels = labels_of(*[50] * 10)
    train, validation = hold_out(labels, CLASS_NAMES, 100, seed=1)
    assert np.bincount(labels[validation]).tolist() == [10] * 10
    assert sorted([*train, *validation]) == list(range(500))
    assert train.dtype == validation.dtype == np.int64
    again = hold_out(labels, CLASS_NAMES, 100, seed=1)
    assert np.array_equal(again[1], validation)
    assert not np.array_equal(hold_out(labels, CLASS_NAMES, 100, seed=2)[1], validation)


def test_equal_classes_are_held_out_as_ever() -> None:
    """The digest is of the indices that the hold-out of before shares and numbers chose."""
    labels = (np.arange(1000) % 10).astype(np.uint8)
    _, held = hold_out(labels, CLASS_NAMES, 100, seed=2017)
    digest = hashlib.sha256(held.tobytes()).hexdigest()
    assert digest == "85a6fdcc8798982d846e2da6b4520f842835dfac2470c0eb5a28f7e112a4042c"
    assert np.array_equal(hold_out(labels, CLASS_NAMES, 0.1, seed=2017)[1], held)


@pytest.mark.parametrize(
    ("sizes", "size", "held"),
    [
        ((300, 60, 30), 39, [30, 6, 3]),
        ((300, 60, 30), 0.1, [30, 6, 3]),
        # 30.77, 6.15 and 3.08: the largest remainder is the cat's.
        ((300, 60, 30), 40, [31, 6, 3]),
        # 4/3 of each: of equal remainders the first class comes first.
        ((10, 10, 10), 4, [2, 1, 1]),
        # 9.52, 0.24 and 0.24: at least one of each, at the cost of the others.
        ((400, 10, 10), 10, [8, 1, 1]),
        # 396.2, 9.9 and 9.9: one of each is left, at the cost of the others.
        ((400, 10, 10), 416, [398, 9, 9]),
        ((300, 60, 30), 387, [299, 59, 29]),
        ((300, 60, 30), 0.999, [299, 59, 29]),
        ((300, 60, 30), 0.001, [1, 1, 1]),
        ((2, 2, 2), 0.2, [1, 1, 1]),
    ],
)
def test_classes_keep_their_shares(
    sizes: tuple[int, ...], size: int | float, held: list[int]
) -> None:
    labels = labels_of(*sizes)
    rest, indices = hold_out(labels, NAMES, size, seed=1)
    assert np.bincount(labels[indices]).tolist() == held
    assert np.bincount(labels[rest]).tolist() == [n - h for n, h in zip(sizes, held, strict=True)]


def test_three_images_of_a_class_suffice_for_all_parts() -> None:
    labels = labels_of(3, 3, 3)
    rest, test = hold_out(labels, NAMES, 0.2, seed=1, part="test")
    train, validation = hold_out(labels[rest], NAMES, 0.2, seed=1)
    for part in (labels[test], labels[rest][validation], labels[rest][train]):
        assert np.bincount(part).tolist() == [1, 1, 1]


def test_a_test_part_has_a_stream_of_its_own() -> None:
    labels = labels_of(*[50] * 10)
    _, test = hold_out(labels, CLASS_NAMES, 100, seed=1, part="test")
    _, validation = hold_out(labels, CLASS_NAMES, 100, seed=1)
    assert np.bincount(labels[test]).tolist() == [10] * 10
    assert 5 < len(np.intersect1d(test, validation)) < 40  # 20 of 100 where chance alone decides


@pytest.mark.parametrize(
    ("sizes", "size", "part", "message"),
    [
        (
            (1, 5, 5),
            0.2,
            "validation",
            "preprocess.validation_images: class 'cat' has 1 image; expected at least 2 (1 for "
            "validation, 1 for training): add images of it, or remove the class",
        ),
        (
            (5, 5, 2),
            3,
            "test",
            "preprocess.test_images: class 'frog' has 2 images; expected at least 3 (1 for "
            "testing, 1 for validation, 1 for training): add images of it, or remove the class",
        ),
        (
            (300, 60, 30),
            5000,
            "validation",
            "preprocess.validation_images = 5000 is impossible with 390 images of 3 classes, the "
            "smallest 'frog' with 30; expected 3 to 387, or a share such as 0.1",
        ),
        ((300, 60, 30), 385, "test", "expected 3 to 384"),
        ((300, 60, 30), 2, "validation", "expected 3 to 387"),
        ((0, 5, 5), 0.2, "validation", "class 'cat' has 0 images"),
    ],
)
def test_an_impossible_hold_out_is_refused(
    sizes: tuple[int, ...], size: int | float, part: str, message: str
) -> None:
    with pytest.raises(ParamsError) as caught:
        hold_out(labels_of(*sizes), NAMES, size, seed=1, part=part)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_beside_a_given_validation_part_one_more_image_can_be_for_testing() -> None:
    sizes = np.array([2, 5, 5])
    with pytest.raises(ParamsError, match="1 for testing, 1 for validation, 1 for training"):
        held_of_each(sizes, NAMES, 0.2, "test")
    held = held_of_each(sizes, NAMES, 0.9, "test", validation_given=True)
    assert held.tolist() == [1, 4, 4]
    with pytest.raises(ParamsError, match=r"at least 2 \(1 for testing, 1 for training\)"):
        held_of_each(np.array([1, 5, 5]), NAMES, 0.2, "test", validation_given=True)


def test_counts_are_those_of_the_largest_remainder() -> None:
    """Nowhere more than an image from the exact share, where no class is at its bounds."""
    random = np.random.default_rng(3)
    for _ in range(50):
        sizes = random.integers(100, 1000, 3)
        size = int(random.integers(60, sizes.sum() // 2))
        held = held_of_each(sizes, NAMES, size)
        assert held.sum() == size
        assert (abs(held - size * sizes / sizes.sum()) < 1).all()
