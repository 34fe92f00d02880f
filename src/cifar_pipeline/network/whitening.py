"""A whitening filter bank for the first convolution, from the training images.

Source: Keller Jordan, "94% on CIFAR-10 in 3.29 Seconds on a Single GPU", 2024, section 3.2.
"""

import numpy as np

from cifar_pipeline.dataset.channel_statistics import ChannelStatistics

PATCH = 2
SAMPLE = 5000
_PIXELS = 32 * 32 * 3  # of an image: as many patches of larger ones would not fit into memory
_REGULARISATION = 5e-4
# A direction whose variance is a smaller part of the greatest one is not told from rounding. In
# bfloat16 a filter's weights and the pixels are rounded by up to 2^-9 of themselves each, so the
# greatest direction leaks into every filter with up to 2 * (2^-9)^2 of its variance. CIFAR-10's
# smallest direction has 5.6e-5, pixels rounded to integers add 2e-6, grey images have 1e-16.
_NEGLIGIBLE = 2.0**-17
# Of pictures of one tone, such as sepia, JPEG leaves the colours of 99.9 % of the pixels within 20
# levels of the mean colour of their brightness, at qualities from 50; CIFAR-10's classes are at 94
# or more.
_TONE_IMAGES = 500
_LEVELS_OF_A_BIN = 4
_FAR = 24
_FAR_PIXELS = 0.001
# Of one tone: four of brightness, and the greatest of colour, which tells a faint tint.
_DIRECTIONS_OF_ONE_TONE = PATCH * PATCH + 1


def whitening_filters(images: np.ndarray, statistics: ChannelStatistics, number: int) -> np.ndarray:
    """Return filters that decorrelate 2x2 patches, and the same filters negated.

    There are twelve such filters. Those with the smallest variance tell least. Where channels or
    pixels depend on each other, as in grey or one-colour images, fewer directions have any
    variance. The others get no filter: it would multiply rounding errors. Images of one tone have
    five at most: most of what their colours add to their brightness is noise, such as JPEG's, which
    whitening would make as large as the image's own variance.

    Args:
        images: uint8 (N, H, W, 3); the first 5,000 are used, fewer where they are larger than
            CIFAR-10's.
        statistics: of the training images.
        number: of filters at most, even; those of the directions with the greatest variance.

    Returns:
        A convolution kernel, float32 (2, 2, 3, filters), for normalised images: the eigenvectors of
        the patches' uncentred covariance with the greatest eigenvalues, over their square roots. It
        has `number` filters, fewer where fewer directions have variance, and two at least.
    """
    sample = images[: SAMPLE * _PIXELS // max(images[0].size, _PIXELS)]
    scaled = (sample - np.array(statistics.mean)) / np.array(statistics.scale)
    windows = np.lib.stride_tricks.sliding_window_view(scaled, (PATCH, PATCH), axis=(1, 2))
    # (N, y, x, channel, row, column) to rows of (row, column, channel), a kernel's own order.
    patches = windows.transpose(0, 1, 2, 4, 5, 3).reshape(-1, PATCH * PATCH * 3)
    eigenvalues, eigenvectors = np.linalg.eigh(patches.T @ patches / len(patches))
    varied = max(1, int(np.count_nonzero(eigenvalues > _NEGLIGIBLE * eigenvalues[-1])))
    most = _DIRECTIONS_OF_ONE_TONE if has_one_tone(sample) else len(eigenvalues)
    directions = min(number // 2, varied, most)
    filters = (eigenvectors / np.sqrt(eigenvalues + _REGULARISATION))[:, -directions:]
    both = np.concatenate([filters, -filters], axis=1)
    return both.reshape(PATCH, PATCH, 3, 2 * directions).astype(np.float32)


def has_one_tone(images: np.ndarray) -> bool:
    """Say whether a pixel's brightness tells its colour, but for noise, as in grey and sepia.

    That is so where at most 0.1 % of the pixels have a channel more than 24 levels from its mean
    over the pixels of that brightness. A few pixels of another colour are not noise: a red mark
    that fills 0.2 % of grey images counts as colour.

    Args:
        images: uint8 (N, H, W, 3); some 500 of them are looked at.
    """
    some = images[:: max(1, len(images) // _TONE_IMAGES)]
    pixels = some.reshape(-1, 3).astype(np.int64)
    brightness = pixels.sum(axis=1) // (3 * _LEVELS_OF_A_BIN)
    numbers = np.maximum(np.bincount(brightness), 1)
    far = np.zeros(len(pixels), bool)
    for values in pixels.T:
        tone = np.bincount(brightness, values) / numbers
        far |= np.abs(values - tone[brightness]) > _FAR
    return bool(far.mean() <= _FAR_PIXELS)
