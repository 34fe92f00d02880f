"""Test-time augmentation against its definition."""

import numpy as np
import pytest

from cifar_pipeline.evaluate.test_time_augmentation import predict_with_augmentation, views

IMAGES = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), np.uint8)


@pytest.mark.parametrize(("choice", "number"), [("none", 1), ("flip", 2), ("flip_shift", 6)])
def test_weights_sum_to_1_and_mirrors_weigh_the_same(choice: str, number: int) -> None:
    seen = list(views(IMAGES, choice))  # type: ignore[arg-type]
    assert len(seen) == number
    assert sum(weight for weight, _ in seen) == 1
    assert all(view.shape == IMAGES.shape and view.dtype == np.uint8 for _, view in seen)
    for (weight, view), (mirrored_weight, mirror) in zip(seen[::2], seen[1::2], strict=False):
        assert weight == mirrored_weight
        assert np.array_equal(view[:, :, ::-1], mirror)


def test_shifts_move_by_a_pixel_and_reflect_the_border() -> None:
    _, _, (_, up_left), _, (_, down_right), _ = views(IMAGES, "flip_shift")
    assert np.array_equal(up_left[:, :-1, :-1], IMAGES[:, 1:, 1:])
    assert np.array_equal(up_left[:, -1, :-1], IMAGES[:, -2, 1:])
    assert np.array_equal(down_right[:, 1:, 1:], IMAGES[:, :-1, :-1])
    assert np.array_equal(down_right[:, 0, 1:], IMAGES[:, 1, :-1])


def test_the_mean_is_that_of_logits() -> None:
    matrix = np.random.default_rng(1).normal(size=(32 * 32 * 3, 10)) / 2000

    def logits(images: np.ndarray) -> np.ndarray:
        return images.reshape(len(images), -1).astype(float) @ matrix

    def softmax(values: np.ndarray) -> np.ndarray:
        shares = np.exp(values - values.max(axis=1, keepdims=True))
        return (shares / shares.sum(axis=1, keepdims=True)).astype(np.float32)

    for choice in ("none", "flip", "flip_shift"):
        expected = softmax(sum(weight * logits(view) for weight, view in views(IMAGES, choice)))
        result = predict_with_augmentation(lambda images: softmax(logits(images)), IMAGES, choice)
        assert result.dtype == np.float32
        np.testing.assert_allclose(result, expected, rtol=1e-4)


def test_a_probability_of_zero_is_no_error() -> None:
    certain = np.eye(10, dtype=np.float32)[[3, 3, 4]]
    result = predict_with_augmentation(lambda _: certain, IMAGES, "flip")
    np.testing.assert_allclose(result, certain, atol=1e-30)
