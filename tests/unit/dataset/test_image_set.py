"""What is said of a user's own images."""

import re

import pytest

from cifar_pipeline.dataset.image_set import ImageSet, warnings_of_images


@pytest.mark.parametrize(
    ("number", "left_out", "expected"),
    [
        (1, False, "1 training image is also in another .*, and is in the .* leaves it out"),
        (2, False, "2 training images are also in another .*, and are in the .* leaves them out"),
        (1, True, "1 training image is also in another .*, and was left out of training"),
        (1_000, True, "1,000 training images are also .*, and were left out of training"),
    ],
)
def test_numbers_are_grammatical(number: int, left_out: bool, expected: str) -> None:
    images = ImageSet(repeated=number, repeated_left_out=left_out, left_out=number)
    repeated, faulty = warnings_of_images(images)
    assert re.match(expected, repeated)
    was = "1 file could not be read as pictures and was left out"
    assert (faulty == was) is (number == 1)
    assert not warnings_of_images(ImageSet())
