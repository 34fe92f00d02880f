"""The predictions for the test split: as trained, temperature-scaled, and with augmentation."""

from dataclasses import dataclass

import numpy as np

from cifar_pipeline.metrics.confusion import confusion_matrix


@dataclass(frozen=True)
class Predictions:
    """Labels and probabilities of the test split.

    Attributes:
        names: the names of the classes, in label order.
        labels: uint8 (N,).
        probabilities: the saved model's own, float32 (N, classes).
        temperature: the temperature that was fitted on the validation images.
        scaled: the probabilities at that temperature, float32 (N, classes).
        augmented: the probabilities with test-time augmentation, float32 (N, classes); None
            without it.
    """

    names: tuple[str, ...]
    labels: np.ndarray
    probabilities: np.ndarray
    temperature: float
    scaled: np.ndarray
    augmented: np.ndarray | None = None

    @property
    def predicted(self) -> np.ndarray:
        """The predicted class of each image, int64 (N,): the one with the highest probability."""
        return self.probabilities.argmax(axis=1)

    @property
    def matrix(self) -> np.ndarray:
        """The confusion matrix, int64 (classes, classes); row: actual, column: predicted class."""
        return confusion_matrix(self.labels, self.predicted, len(self.names))

    @property
    def confidence(self) -> np.ndarray:
        """The probability of the predicted class, float32 (N,)."""
        return self.probabilities.max(axis=1)
