"""What a preset says beyond its fields."""

import pytest

from cifar_pipeline.params.image_size import CIFAR_IMAGE_SIZE, LARGEST_IMAGE_SIZE
from cifar_pipeline.params.presets import require_fitting
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


@pytest.mark.parametrize("side", [CIFAR_IMAGE_SIZE, 64, LARGEST_IMAGE_SIZE])
def test_fast64_fits_images_of_every_size(side: int) -> None:
    """Its fourth block leaves a pixel of CIFAR-10's images."""
    require_fitting(shipped("fast64"), side)
