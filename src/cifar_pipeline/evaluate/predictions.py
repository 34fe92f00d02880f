"""What the model says of the test images, in the three ways in which it is judged."""

from dataclasses import dataclass

import numpy as np

from cifar_pipeline.metrics.confusion import confusion_matrix


@dataclass(frozen=True)
class Predictions:
    """Labels and probabilities of the test split.

    Attributes:
        names: of the classes, in label order.
        labels: uint8 (N,).
        probabilities: the saved model's own, float32 (N, classes).
        temperature: that of temperature scaling, fitted on validation images.
        scaled: probabilities at that temperature, float32 (N, classes).
        averaged: probabilities by test-time augmentation, float32 (N, classes); None without.
    """

    names: tuple[str, ...]
    labels: np.ndarray
    probabilities: np.ndarray
    temperature: float
    scaled: np.ndarray
    averaged: np.ndarray | None = None

    @property
    def predicted(self) -> np.ndarray:
        """The likeliest class of each image, int64 (N,)."""
        return self.probabilities.argmax(axis=1)

    @property
    def matrix(self) -> np.ndarray:
        """The confusion matrix, int64 (classes, classes); row: actual class."""
        return confusion_matrix(self.labels, self.predicted, len(self.names))

    @property
    def confidence(self) -> np.ndarray:
        """The probability of that class, float32 (N,)."""
        return self.probabilities.max(axis=1)
