"""What the model says of the test images, in the three ways in which it is judged."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Predictions:
    """Labels and probabilities of the test split.

    Attributes:
        labels: uint8 (N,).
        probabilities: the saved model's own, float32 (N, classes).
        temperature: that of temperature scaling, fitted on validation images.
        scaled: probabilities at that temperature, float32 (N, classes).
        averaged: probabilities by test-time augmentation, float32 (N, classes); None without.
    """

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
    def confidence(self) -> np.ndarray:
        """The probability of that class, float32 (N,)."""
        return self.probabilities.max(axis=1)
