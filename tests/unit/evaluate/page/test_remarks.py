"""The sentences of page and card that depend on the results."""

import numpy as np
import pytest

from cifar_pipeline.evaluate.page.remarks import (
    remark_on_calibration,
    remark_on_pairs,
    remark_on_shares,
    remark_on_unequal_classes,
)
from evaluation_results import predictions_of


def test_remarks_on_pairs() -> None:
    first, second = ("cat", "dog", 9), ("bird", "deer", 5)
    assert remark_on_pairs([], True) == "No test image is misclassified."
    assert remark_on_pairs([first, second], True).endswith(
        "Most confused: cat and dog, as with the network of 2017."
    )
    behind = remark_on_pairs([second, first], True)
    assert "Most confused: bird and deer." in behind
    assert "That pair has place 2 here." in behind
    assert "place" not in remark_on_pairs([second], True)
    assert "2017" not in remark_on_pairs([first], False)


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ([0, 0, 1, 1], "under-confident: its mean confidence is 0.700, its accuracy 1.000"),
        ([0, 1, 0, 1], "over-confident: its mean confidence is 0.700, its accuracy 0.500"),
    ],
)
def test_remark_on_calibration(labels: list[int], said: str) -> None:
    probabilities = np.array([[0.7, 0.3], [0.7, 0.3], [0.3, 0.7], [0.3, 0.7]])
    assert said in remark_on_calibration(predictions_of("ab", probabilities, labels))


def test_remark_on_unequal_classes() -> None:
    probabilities = np.array([[0.7, 0.3], [0.7, 0.3], [0.3, 0.7], [0.3, 0.7]])
    assert remark_on_unequal_classes(predictions_of("ab", probabilities, [0, 1, 0, 1])) == ""
    assert remark_on_unequal_classes(predictions_of("ab", probabilities, [1, 1, 0, 1])) == (
        "The classes of the test images are unequal: always predicting the largest one, b, would "
        "have an accuracy of 75.00 % and a balanced accuracy of 50.00 %."
    )


def test_remark_on_shares() -> None:
    test, alike, other = (np.repeat([0, 1], sizes) for sizes in ((40, 80), (5, 10), (10, 5)))
    assert remark_on_shares(("a", "b"), alike, test) == ""
    found = remark_on_shares(("a", "b"), np.tile(other, 4), test)
    assert found.startswith("Validation and test figures cannot be compared:")
    assert found.endswith("a is 66.7 % of the validation images and 33.3 % of the test images.")
