"""What a preset says beyond its fields."""

import pytest

from networks import shipped


@pytest.mark.parametrize(
    ("epochs", "freq", "validated"),
    [
        (5, 1, [1, 2, 3, 4, 5]),
        (5, 2, [1, 3, 5]),
        (6, 2, [2, 4, 6]),
        (5, 5, [5]),
        (3, 9, [3]),
        (1, 2, [1]),
    ],
)
def test_the_last_epoch_is_always_validated(epochs: int, freq: int, validated: list[int]) -> None:
    params = shipped("fast").model_copy(update={"epochs": epochs, "validation_freq": freq})
    assert params.validated_epochs == validated
