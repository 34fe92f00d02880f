"""The test against chance, and its sentence."""

import itertools

import numpy as np
import pytest

from cifar_pipeline.metrics.chance import compare_with_chance, warning_of_chance


def of(*classes: int) -> np.ndarray:
    return np.array(classes, np.uint8)


@pytest.mark.parametrize(
    ("predicted", "labels"),
    [
        (of(0, 0, 1, 1, 2, 0), of(0, 1, 1, 1, 2, 2)),
        (of(0, 3, 1, 1, 3, 0), of(0, 1, 1, 1, 2, 2)),  # class 3 has no images
    ],
)
def test_mean_and_bound_are_those_of_all_orders_of_the_labels(
    predicted: np.ndarray, labels: np.ndarray
) -> None:
    test = compare_with_chance(predicted, labels)
    every = [
        compare_with_chance(predicted, np.array(order)).balanced_accuracy
        for order in itertools.permutations(labels.tolist())
    ]
    assert test.by_chance == pytest.approx(np.mean(every))
    half_a_step = np.mean([1 / np.sum(labels == label) for label in range(3)]) / 3 / 2
    assert test.bound == pytest.approx(np.mean(every) + 1.6449 * np.std(every) + half_a_step)


def test_the_balanced_accuracy_is_the_mean_recall() -> None:
    test = compare_with_chance(of(0, 0, 1, 1), of(0, 0, 0, 1))
    assert test.balanced_accuracy == pytest.approx((2 / 3 + 1) / 2)
    assert (test.images, test.classes) == (4, 2)


@pytest.mark.parametrize(
    ("labels", "predicted", "better"),
    [
        ([0] * 90 + [1] * 10, [0] * 100, False),  # accuracy 0.9
        ([0] * 90 + [1] * 10, [0] * 84 + [1] * 6 + [0] * 4 + [1] * 6, True),
        ([0] * 50 + [1] * 50, ([0] * 30 + [1] * 20) + ([0] * 20 + [1] * 30), True),
        ([0] * 50 + [1] * 50, ([0] * 28 + [1] * 22) + ([0] * 22 + [1] * 28), False),
        ([0] * 50 + [1] * 50, [1] * 50 + [0] * 50, False),  # worse
        ([0] * 50 + [1] * 50, [0] * 99 + [1], False),  # one lucky prediction
        ([0] * 5, [0] * 5, False),
        ([0], [0], False),
    ],
)
def test_what_is_better_than_chance(labels: list[int], predicted: list[int], better: bool) -> None:
    assert compare_with_chance(of(*predicted), of(*labels)).is_better is better


def test_one_in_twenty_guesses_is_better_than_chance() -> None:
    generator = np.random.default_rng(1)
    labels = np.repeat(of(0, 1, 2), (100, 40, 10))
    guesses = generator.choice(3, (2000, 150), p=(0.6, 0.3, 0.1))
    share = np.mean([compare_with_chance(guess, labels).is_better for guess in guesses])
    assert 0.03 < share < 0.07


def test_shapes_that_do_not_belong_together() -> None:
    with pytest.raises(ValueError, match=r"\(2,\) and \(3,\)"):
        compare_with_chance(of(0, 1), of(0, 1, 1))
    with pytest.raises(ValueError, match="at least one image"):
        compare_with_chance(of(), of())


def test_a_model_that_is_better_has_no_warning() -> None:
    labels = np.arange(30, dtype=np.uint8) % 3
    assert warning_of_chance(np.eye(3, dtype=np.float32)[labels], labels, "fast", True) is None


@pytest.mark.parametrize(("whitens", "proposed"), [(True, True), (False, False)])
def test_the_warning_says_what_was_seen_and_what_to_try(whitens: bool, proposed: bool) -> None:
    labels = np.arange(150, dtype=np.uint8) % 3
    logits = np.tile(np.array([0, 1, 0], np.float32), (150, 1))
    warning = warning_of_chance(logits, labels, "fast", whitens)
    assert warning is not None
    assert warning.startswith("the model is no better than chance on the 150 validation images: ")
    assert "the same class is predicted for all of them" in warning
    assert "(mean recall over 3 classes) 0.3333, chance 0.3333 (at most 0.3367 in" in warning
    assert ("`dvc exp run -S models.fast.whitening=false`" in warning) is proposed
    assert "another preset or more epochs" in warning
    assert "\n" not in warning


def test_a_warning_of_varied_predictions() -> None:
    labels = np.arange(150, dtype=np.uint8) % 3
    logits = np.eye(3, dtype=np.float32)[np.arange(150) // 50]
    warning = warning_of_chance(logits, labels, "fast", False)
    assert warning is not None
    assert "the same class" not in warning
    assert "0.3333 (at most 0.4002" in warning
