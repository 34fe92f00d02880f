"""How far two sets of images are apart, and two codecs: PSNR, SSIM, BD-rate."""

import numpy as np

_WINDOW, _SIGMA = 11, 1.5
# Of Wang et al.: keeps a quotient finite where images are flat or dark.
_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2


def squared_errors(images: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return the mean squared error of each image, float64 (N,), of two arrays of uint8."""
    difference = images.astype(np.int32) - others
    return np.square(difference).reshape(len(images), -1).mean(axis=1, dtype=np.float64)


def psnr(mean_squared_error: np.ndarray | float, numbers: np.ndarray | int) -> np.ndarray:
    """Return the peak signal-to-noise ratio in dB, 10 log10(255^2 / mean squared error).

    Args:
        mean_squared_error: of grey levels from 0 to 255.
        numbers: of which it is the mean. An error of 0 counts as that of one number by 1, so that
            means over images are finite.
    """
    return 10 * np.log10(255**2 / np.maximum(mean_squared_error, 1 / numbers))


def ssim(images: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return the structural similarity of each pair of images, float64 (N,), at most 1.

    A Gaussian window of 11 x 11 with a standard deviation of 1.5, where it lies within the image;
    the mean over places and channels (Wang et al., 'Image quality assessment: from error visibility
    to structural similarity', IEEE Transactions on Image Processing, 2004).

    Args:
        images: uint8 (N, H, W, 3), of at least 11 x 11 pixels.
        others: likewise.
    """
    found = [
        _ssim(images[at : at + 500], others[at : at + 500]) for at in range(0, len(images), 500)
    ]
    return np.concatenate(found)


def _ssim(images: np.ndarray, others: np.ndarray) -> np.ndarray:
    x, y = (np.moveaxis(each, 3, 1).astype(np.float64) for each in (images, others))
    mean_x, mean_y = _blurred(x), _blurred(y)
    variance_x = _blurred(x * x) - mean_x**2
    variance_y = _blurred(y * y) - mean_y**2
    covariance = _blurred(x * y) - mean_x * mean_y
    likeness = (2 * mean_x * mean_y + _C1) * (2 * covariance + _C2)
    likeness /= (mean_x**2 + mean_y**2 + _C1) * (variance_x + variance_y + _C2)
    return likeness.mean(axis=(1, 2, 3))


def _blurred(planes: np.ndarray) -> np.ndarray:
    """Return the weighted means of all windows of planes (..., H, W)."""
    down, across = (_windows(side) for side in planes.shape[-2:])
    return down @ planes @ across.T


def _windows(side: int) -> np.ndarray:
    """Return the weights of each window's position along a side, (side - 10, side)."""
    weights = np.exp(-((np.arange(_WINDOW) - _WINDOW // 2) ** 2) / (2 * _SIGMA**2))
    matrix = np.zeros((side - _WINDOW + 1, side))
    for at, row in enumerate(matrix):
        row[at : at + _WINDOW] = weights / weights.sum()
    return matrix


def bd_rate(
    rates: np.ndarray, qualities: np.ndarray, others: tuple[np.ndarray, np.ndarray]
) -> float:
    """Return how much more a codec takes than another one at the same quality, as a fraction.

    That is the mean difference of the logarithms of the rates over the qualities that both reach
    (Bjontegaard, VCEG-M33, 2001), with straight lines between points where he has cubic curves:
    those leave the points where there are many. -0.1 means 10 % fewer bits.

    Args:
        rates: of the codec, in bits per pixel, (points,).
        qualities: in dB, rising with the rates.
        others: rates and qualities of the other codec.

    Raises:
        ValueError: the curves have no quality in common.
    """
    low = max(min(qualities), min(others[1]))
    high = min(max(qualities), max(others[1]))
    if low >= high:
        raise ValueError("curves without a quality in common")
    grid = np.linspace(low, high, 1001)
    logarithms = [
        np.interp(grid, quality, np.log(rate)) for rate, quality in ((rates, qualities), others)
    ]
    return float(np.exp((logarithms[0] - logarithms[1]).mean()) - 1)
