import numpy as np
import pytest

from cifar_pipeline.codec.distortion import bd_rate, psnr, squared_errors, ssim
from codec_models import images


def test_psnr_by_hand() -> None:
    black = np.zeros((2, 2, 2, 3), np.uint8)
    other = black.copy()
    other[1] = 255
    assert (
        squared_errors(black, other).tolist()
        == squared_errors(other, black).tolist()
        == [0, 255**2]
    )
    assert psnr(np.array([1.0, 255**2]), 12) == pytest.approx([48.1308, 0])
    assert psnr(0.0, 12) == psnr(1 / 12, 12)


def test_ssim_of_an_image_with_itself_and_with_its_negative() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (2, 16, 12, 3), dtype=np.uint8)
    assert ssim(pixels, pixels) == pytest.approx([1, 1])
    assert (ssim(pixels, 255 - pixels) < -0.5).all()


def test_ssim_of_flat_images_by_hand() -> None:
    """Without variance the first factor alone is left."""
    flat = np.full((1, 11, 11, 3), 100, np.uint8)
    expected = (2 * 100 * 120 + 6.5025) / (100**2 + 120**2 + 6.5025)
    assert ssim(flat, flat + np.uint8(20)) == pytest.approx([expected])


def test_ssim_is_the_mean_of_windows_by_their_definition() -> None:
    x, y = images(2, 12, 11).astype(float)
    weights = np.exp(-((np.arange(11) - 5) ** 2) / 4.5)
    window = np.outer(weights, weights) / weights.sum() ** 2
    values = []
    for channel in range(3):
        for top in range(2):
            a, b = (each[top : top + 11, :, channel] for each in (x, y))
            (mean_a, mean_b) = ((window * each).sum() for each in (a, b))
            spread = (window * ((a - mean_a) ** 2 + (b - mean_b) ** 2)).sum()
            together = (window * (a - mean_a) * (b - mean_b)).sum()
            likeness = (2 * mean_a * mean_b + 6.5025) * (2 * together + 58.5225)
            values.append(likeness / (mean_a**2 + mean_b**2 + 6.5025) / (spread + 58.5225))
    found = ssim(x[None].astype(np.uint8), y[None].astype(np.uint8))
    assert found == pytest.approx([np.mean(values)])


def test_half_the_bits_are_minus_fifty_per_cent() -> None:
    rates, qualities = np.array([0.5, 1, 2, 4]), np.array([20, 25, 30, 36])
    assert bd_rate(rates / 2, qualities, (rates, qualities)) == pytest.approx(-0.5)
    # Only where both are: from 25 to 30.
    assert bd_rate(rates[1:], qualities[1:], (2 * rates[:3], qualities[:3])) == pytest.approx(-0.5)
    with pytest.raises(ValueError, match="in common"):
        bd_rate(rates, qualities, (rates, qualities + 20))
