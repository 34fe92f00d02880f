"""A whitening filter bank for the first convolution, from the training images.

Source: Keller Jordan, "94% on CIFAR-10 in 3.29 Seconds on a Single GPU", 2024, section 3.2.
"""

import numpy as np

from cifar_pipeline.dataset.channel_statistics import ChannelStatistics

PATCH = 2
SAMPLE = 5000
_REGULARISATION = 5e-4


def whitening_filters(
    images: np.ndarray, statistics: ChannelStatistics, number: int, symmetric: bool = False
) -> np.ndarray:
    """Return filters that decorrelate 2x2 patches, and the same filters negated.

    There are twelve such filters. Those with the smallest variance tell least.

    Args:
        images: uint8 (N, 32, 32, 3); the first 5,000 are used.
        statistics: of the training images.
        number: of filters, even; those of the directions with the greatest variance.
        symmetric: whether the mirror images of the patches count as well; each filter's mirror
            image is the filter itself or its negative then.

    Returns:
        A convolution kernel, float32 (2, 2, 3, number), for normalised images: the eigenvectors of
        the patches' uncentred covariance with the greatest eigenvalues, over their square roots.
    """
    scaled = (images[:SAMPLE] - np.array(statistics.mean)) / np.array(statistics.standard_deviation)
    windows = np.lib.stride_tricks.sliding_window_view(scaled, (PATCH, PATCH), axis=(1, 2))
    # (N, y, x, channel, row, column) to rows of (row, column, channel), a kernel's own order.
    patches = windows.transpose(0, 1, 2, 4, 5, 3).reshape(-1, PATCH * PATCH * 3)
    eigenvalues, eigenvectors = _eigen(patches.T @ patches / len(patches), symmetric)
    filters = (eigenvectors / np.sqrt(eigenvalues + _REGULARISATION))[:, -(number // 2) :]
    both = np.concatenate([filters, -filters], axis=1)
    return both.reshape(PATCH, PATCH, 3, number).astype(np.float32)


def _eigen(covariance: np.ndarray, symmetric: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return eigenvalues in ascending order, (D,), and eigenvectors, the columns of (D, D).

    With `symmetric` of the mean of the covariance of patches and that of their mirror images;
    the eigenvectors then are their own mirror image, or its negative.
    """
    if not symmetric:
        return np.linalg.eigh(covariance)
    places = np.arange(len(covariance)).reshape(PATCH, PATCH, -1)
    mirrored = np.eye(len(covariance))[places[:, ::-1].ravel()]
    left = places[:, : PATCH // 2].ravel()
    parts = []
    for sign in (1, -1):  # apart, or equal eigenvalues would mix what is even and what is odd
        basis = (np.eye(len(covariance)) + sign * mirrored)[left] / np.sqrt(2)
        values, vectors = np.linalg.eigh(basis @ covariance @ basis.T)
        parts.append((values, basis.T @ vectors))
    eigenvalues = np.concatenate([values for values, _ in parts])
    order = np.argsort(eigenvalues, kind="stable")
    return eigenvalues[order], np.concatenate([vectors for _, vectors in parts], axis=1)[:, order]
