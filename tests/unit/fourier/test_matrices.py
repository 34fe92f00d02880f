"""How many multiplications an algorithm takes."""

from cifar_pipeline.fourier.matrices import multiplications


def test_the_multiplications_of_7x7_maps() -> None:
    """94 products instead of 441 for each channel and filter, and the transforms."""
    assert multiplications(7, 3, "same", 1, 0)[0] == 0
    directly, by_fourier = multiplications(7, 3, "same", 256, 256)
    assert directly == 441 * 256 * 256
    # Rows: 8x7 for 7 columns. Two real lines of 11 products, three complex ones of 24.
    transform = 8 * 7 * 7 + 2 * 11 * 7 + 3 * 24 * 14
    assert by_fourier == 94 * 256 * 256 + 2 * transform * 256
