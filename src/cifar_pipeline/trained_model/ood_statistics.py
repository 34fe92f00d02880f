"""Feature statistics of the training images, and the out-of-distribution (OOD) score they give.

The score adds two signs of an OOD image.

1. The norm of its features (the input of the last dense layer) is small, because the layers respond
   weakly to an image without the parts of any class. Source: Park, Chai, Yoon, Teoh,
   "Understanding the Feature Norm for Out-of-Distribution Detection", ICCV 2023.
2. The channel means of a layer half-way through the model, which describe the texture of the image,
   have a large Mahalanobis distance from those of the training images. Source: Lee, Lee, Lee, Shin,
   "A Simple Unified Framework for Detecting Out-of-Distribution Samples and Adversarial Attacks",
   NeurIPS 2018.

benchmarks/ood_scores.py compares OOD scores.
"""

import io
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from cifar_pipeline.trained_model.archive import read_entry, unreadable

_FILE = "ood_statistics.npz"
_FORMER_FILE = "familiarity.npz"  # in models of versions before 0.2
_REGULARIZATION = 1e-3  # added to each variance, as a fraction of the mean variance
_LEAST = 1e-12  # added, too, because all variances are 0 if all images are the same
_TINY = float(np.finfo(np.float32).tiny)


@dataclass(frozen=True)
class OodStatistics:
    """Statistics of the training images' features.

    The channel means of an image are the means of a layer's D output channels over all positions.

    Attributes:
        layer: the name of that layer.
        mean: the mean of the channel means over the training images, float32 (D,).
        whitening: a matrix, float32 (D, D), that makes the covariance of the channel means the
            identity; the Mahalanobis distance is the Euclidean distance after whitening.
        location: the means of the two parts of the score over the training images, before they are
            standardized, float32 (2,).
        scale: the standard deviations of the two parts, likewise, float32 (2,).
    """

    layer: str
    mean: np.ndarray
    whitening: np.ndarray
    location: np.ndarray
    scale: np.ndarray

    @classmethod
    def of(cls, layer: str, norms: np.ndarray, channel_means: np.ndarray) -> "OodStatistics":
        """Return the statistics of N training images.

        Args:
            layer: the name of the layer whose channel means are given.
            norms: the Euclidean norm of the features of each image, float32 (N,).
            channel_means: the channel means of each image, float32 (N, D).
        """
        mean = channel_means.mean(axis=0, dtype=np.float64).astype(np.float32)
        deviations = channel_means - mean
        covariance = (deviations.T @ deviations).astype(np.float64) / len(deviations)
        size = len(covariance)
        # Invertible also if there are fewer images than channels, or a channel is always 0.
        covariance += np.eye(size) * (_REGULARIZATION * np.trace(covariance) / size + _LEAST)
        whitening = np.linalg.inv(np.linalg.cholesky(covariance)).astype(np.float32)
        raw = _logarithms(norms, channel_means, mean, whitening)
        location, scale = raw.mean(axis=1), raw.std(axis=1)
        scale[scale == 0] = 1
        return cls(layer, mean, whitening, location.astype("float32"), scale.astype("float32"))

    def score(self, norms: np.ndarray, channel_means: np.ndarray) -> np.ndarray:
        """Return the OOD scores of N images, float32 (N,).

        A score is the sum of two standardized parts: the logarithm of the norm of the features, and
        minus the logarithm of the distance of the channel means. Training images have scores
        around 0, OOD images have much lower ones.

        Args:
            norms: as in `of`, float32 (N,).
            channel_means: as in `of`, float32 (N, D).
        """
        return self.parts(norms, channel_means).sum(axis=0).astype(np.float32)

    def parts(self, norms: np.ndarray, channel_means: np.ndarray) -> np.ndarray:
        """Return the two parts of `score`, standardized, float64 (2, N); arguments as there."""
        raw = _logarithms(norms, channel_means, self.mean, self.whitening)
        return (raw - self.location[:, None]) / self.scale[:, None]

    def entry(self) -> dict[str, bytes]:
        """Return the file that stores the statistics in a model's archive: its content by name."""
        content = io.BytesIO()
        np.savez(content, **asdict(self))
        return {_FILE: content.getvalue()}


def _logarithms(
    norms: np.ndarray, channel_means: np.ndarray, mean: np.ndarray, whitening: np.ndarray
) -> np.ndarray:
    """Return the two parts of the score before they are standardized, float64 (2, N)."""
    distances = np.linalg.norm((channel_means - mean) @ whitening.T, axis=1)
    norms, distances = (np.maximum(each, _TINY).astype(np.float64) for each in (norms, distances))
    return np.stack([np.log(norms), -np.log(distances)])


def load_ood_statistics(path: Path) -> OodStatistics | None:
    """Return the statistics in the .keras archive at `path`; None if it holds none.

    Archives that other programs wrote hold none.

    Raises:
        PipelineError: the archive or the statistics cannot be read.
    """
    content = read_entry(path, _FILE, _FORMER_FILE)
    if content is None:
        return None
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            values = {name: arrays[name] for name in arrays}
        statistics = OodStatistics(**values | {"layer": str(values["layer"])})
        _check(statistics)
    except Exception as error:  # which one depends on the first part that is damaged
        raise unreadable(path, error) from None
    return statistics


def _check(statistics: OodStatistics) -> None:
    """Raise ValueError unless the arrays have the shapes and types of `OodStatistics`."""
    channels = statistics.mean.shape
    expected = {"mean": channels, "whitening": 2 * channels, "location": (2,), "scale": (2,)}
    for name, shape in expected.items():
        array = getattr(statistics, name)
        if array.shape != shape or array.dtype != np.float32 or len(channels) != 1:
            raise ValueError(f"{name} in {_FILE} is {array.dtype} of shape {array.shape}")
        if not np.isfinite(array).all():
            raise ValueError(f"{name} in {_FILE} is not finite")
