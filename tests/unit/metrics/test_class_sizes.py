"""Sizes of classes, and where two parts differ in them."""

import numpy as np
import pytest

from cifar_pipeline.metrics.class_sizes import (
    ShareDifference,
    are_unequal,
    largest_class,
    share_difference,
)


def labels_of(*sizes: int) -> np.ndarray:
    return np.repeat(np.arange(len(sizes), dtype=np.uint8), sizes)


@pytest.mark.parametrize(
    ("sizes", "unequal"), [((5, 5, 5), False), ((5, 4, 5), True), ((5, 0, 5), False), ((7,), False)]
)
def test_classes_that_do_not_occur_have_no_size(sizes: tuple[int, ...], unequal: bool) -> None:
    assert are_unequal(labels_of(*sizes)) is unequal


def test_the_largest_class_is_the_lowest_of_several() -> None:
    assert largest_class(labels_of(1, 4, 4, 1)) == (1, 0.4)


@pytest.mark.parametrize("classes", [2, 3, 10, 101])
def test_the_critical_value_is_the_chi_square_distribution_s(classes: int) -> None:
    """Of parts of equal size, one class being k greater in one and the next one k less."""
    critical = {2: 6.6349, 3: 9.2103, 10: 21.6660, 101: 135.8067}[classes]  # of any table, at 1 %
    size = 10_000
    # The statistic is 2 k^2 / size for each of the two classes.
    step = (critical * size / 4) ** 0.5
    for factor, differs in ((0.99, False), (1.01, True)):
        k = round(factor * step)
        one, other = [size] * classes, [size] * classes
        one[0], one[1], other[0], other[1] = size + k, size - k, size - k, size + k
        found = share_difference(labels_of(*one), labels_of(*other))
        assert (found is not None) is differs


def test_the_largest_difference_is_found() -> None:
    # Shares of 0.6, 0.3 and 0.1, and of 0.2, 0.5 and 0.3; a class that is in neither.
    found = share_difference(labels_of(60, 30, 0, 10), labels_of(40, 100, 0, 60))
    assert found == ShareDifference(0, pytest.approx(0.6), pytest.approx(0.2))


@pytest.mark.parametrize(
    ("first", "second"), [((300, 60, 30), (100, 20, 10)), ((9,), (4,)), ((30, 6, 3), (9, 3, 1))]
)
def test_equal_shares_and_chance_are_no_difference(
    first: tuple[int, ...], second: tuple[int, ...]
) -> None:
    assert share_difference(labels_of(*first), labels_of(*second)) is None
