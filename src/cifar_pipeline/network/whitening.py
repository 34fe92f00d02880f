"""A whitening filter bank for the first convolution, from the training images.

Source: Keller Jordan, "94% on CIFAR-10 in 3.29 Seconds on a Single GPU", 2024, section 3.2.
"""

import numpy as np

from cifar_pipeline.dataset.channel_statistics import ChannelStatistics

PATCH = 2
SAMPLE = 5000
_REGULARISATION = 5e-4


def whitening_filters(images: np.ndarray, statistics: ChannelStatistics, number: int) -> np.ndarray:
    """Return filters that decorrelate 2x2 patches, and the same filters negated.

    There are twelve such filters. Those with the smallest variance tell least.

    Args:
        images: uint8 (N, 32, 32, 3); the first 5,000 are used.
        statistics: of the training images.
        number: of filters, even; those of the directions with the greatest variance.

    Returns:
        A convolution kernel, float32 (2, 2, 3, number), for normalised images: the eigenvectors of
        the patches' uncentred covariance with the greatest eigenvalues, over their square roots.
    """
    scaled = (images[:SAMPLE] - np.array(statistics.mean)) / np.array(statistics.standard_deviation)
    windows = np.lib.stride_tricks.sliding_window_view(scaled, (PATCH, PATCH), axis=(1, 2))
    # (N, y, x, channel, row, column) to rows of (row, column, channel), a kernel's own order.
    patches = windows.transpose(0, 1, 2, 4, 5, 3).reshape(-1, PATCH * PATCH * 3)
    eigenvalues, eigenvectors = np.linalg.eigh(patches.T @ patches / len(patches))
    filters = (eigenvectors / np.sqrt(eigenvalues + _REGULARISATION))[:, -(number // 2) :]
    both = np.concatenate([filters, -filters], axis=1)
    return both.reshape(PATCH, PATCH, 3, number).astype(np.float32)
