"""Statistics of the training images' features, and the out-of-distribution (OOD) score by them.

Two things tell an OOD image. Its features, the last layer's, are small: layers that were
trained to find the parts of some classes find little in a picture that has none of them. Source:
Park, Chai, Yoon, Teoh, "Understanding the Feature Norm for Out-of-Distribution Detection", ICCV
2023. And its texture, the mean of each channel half-way through the model, is far from that of the
training images. Source: Lee, Lee, Lee, Shin, "A Simple Unified Framework for Detecting
Out-of-Distribution Samples and Adversarial Attacks", NeurIPS 2018. benchmarks/ood_scores.py
compares scores.
"""

import io
import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from cifar_pipeline.common.checksums import HEAL
from cifar_pipeline.common.errors import PipelineError

_FILE = "ood_statistics.npz"
_FORMER_FILE = "familiarity.npz"  # in models of versions before 0.2
_REGULARIZATION = 1e-3  # of the covariance, in mean variances
_LEAST = 1e-12  # of a variance: all images may be the same
_TINY = float(np.finfo(np.float32).tiny)


@dataclass(frozen=True)
class OodStatistics:
    """Statistics of the training images' features.

    Attributes:
        layer: its name; its channels are looked at.
        mean: of the channel means, float32 (D,).
        whitening: makes their covariance the identity, float32 (D, D): Mahalanobis' distance is
            Euclid's after it.
        location: the mean of the two parts of `score`, float32 (2,).
        scale: their standard deviation, float32 (2,).
    """

    layer: str
    mean: np.ndarray
    whitening: np.ndarray
    location: np.ndarray
    scale: np.ndarray

    @classmethod
    def of(cls, layer: str, norms: np.ndarray, channel_means: np.ndarray) -> "OodStatistics":
        """Return the statistics of N images.

        Args:
            layer: its name.
            norms: of the features, float32 (N,).
            channel_means: the layer's, float32 (N, D).
        """
        mean = channel_means.mean(axis=0, dtype=np.float64).astype(np.float32)
        deviations = channel_means - mean
        covariance = (deviations.T @ deviations).astype(np.float64) / len(deviations)
        size = len(covariance)
        # More of it where the images are too few to tell, or a channel is dead.
        covariance += np.eye(size) * (_REGULARIZATION * np.trace(covariance) / size + _LEAST)
        whitening = np.linalg.inv(np.linalg.cholesky(covariance)).astype(np.float32)
        raw = _logarithms(norms, channel_means, mean, whitening)
        location, scale = raw.mean(axis=1), raw.std(axis=1)
        scale[scale == 0] = 1
        return cls(layer, mean, whitening, location.astype("float32"), scale.astype("float32"))

    def score(self, norms: np.ndarray, channel_means: np.ndarray) -> np.ndarray:
        """Return the OOD scores of N images, float32 (N,): about 0, and far below for OOD images.

        The logarithm of the norm of the features minus that of the distance of the channel means,
        each in standard deviations from its mean over the training images; arguments as in `of`.
        """
        return self.parts(norms, channel_means).sum(axis=0).astype(np.float32)

    def parts(self, norms: np.ndarray, channel_means: np.ndarray) -> np.ndarray:
        """Return the two parts of `score`, float64 (2, N)."""
        raw = _logarithms(norms, channel_means, self.mean, self.whitening)
        return (raw - self.location[:, None]) / self.scale[:, None]

    def entry(self) -> dict[str, bytes]:
        """Return what keeps the statistics in the model's archive: content by name."""
        content = io.BytesIO()
        np.savez(content, **asdict(self))
        return {_FILE: content.getvalue()}


def _logarithms(
    norms: np.ndarray, channel_means: np.ndarray, mean: np.ndarray, whitening: np.ndarray
) -> np.ndarray:
    """Return the parts of a score before they are standardized, float64 (2, N)."""
    distances = np.linalg.norm((channel_means - mean) @ whitening.T, axis=1)
    norms, distances = (np.maximum(each, _TINY).astype(np.float64) for each in (norms, distances))
    return np.stack([np.log(norms), -np.log(distances)])


def load_ood_statistics(path: Path) -> OodStatistics | None:
    """Return the statistics in the .keras archive at `path`; None if another program wrote it.

    Raises:
        PipelineError: they cannot be read.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            file = next((name for name in (_FILE, _FORMER_FILE) if name in names), None)
            if file is None:
                return None
            content = io.BytesIO(archive.read(file))
        with np.load(content) as arrays:
            values = {name: arrays[name] for name in arrays}
        return OodStatistics(**values | {"layer": str(values["layer"])})
    except (OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise PipelineError(f"{path} cannot be read ({error}); {HEAL}") from None
