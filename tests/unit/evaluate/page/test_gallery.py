"""Which test images the galleries show."""

import numpy as np
import pytest

from cifar_pipeline.evaluate.page.gallery import (
    gallery_images,
    least_confident,
    most_confident_errors,
)
from evaluation_results import predictions_of


def test_galleries_by_hand() -> None:
    probabilities = np.array(
        [[0.9, 0.1, 0], [0.6, 0.3, 0.1], [0.2, 0.7, 0.1], [0.4, 0.35, 0.25], [0.05, 0.05, 0.9]]
    )
    predictions = predictions_of("abc", probabilities, [1, 0, 0, 1, 2])
    assert most_confident_errors(predictions).tolist() == [0, 2, 3]
    assert most_confident_errors(predictions, 1).tolist() == [0]
    assert least_confident(predictions, 3).tolist() == [3, 1, 2]
    images = np.zeros((5, 32, 32, 3), np.uint8)
    (shown,) = gallery_images(np.array([3]), images, predictions)
    assert (shown.index, shown.label) == (3, "b")
    names, shares = zip(*shown.top_classes, strict=True)
    assert names == ("a", "b", "c")
    assert shares == pytest.approx((0.4, 0.35, 0.25))
