"""The registry of metrics: evaluate computes and shows every one that stands in METRICS.

test_metrics.json, the page, the model card and the terminal take keys, labels, values and
intervals from here. docs/adding.md says how to add a metric.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from cifar_pipeline.metrics.calibration import BINS, expected_calibration_error
from cifar_pipeline.metrics.classification import (
    brier_score,
    error_rate,
    incorrect,
    squared_errors,
    top_k_accuracy,
    top_k_correct,
)
from cifar_pipeline.metrics.confidence_intervals import (
    IntervalFunction,
    balanced_accuracy_interval,
    interval_of_mean,
    interval_of_proportion,
    macro_f1_interval,
)
from cifar_pipeline.metrics.confusion import macro_f1
from cifar_pipeline.metrics.loss_and_accuracy import (
    accuracy,
    balanced_accuracy,
    correct,
    cross_entropy,
    log_losses,
)


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A metric of the probabilities that a model predicts for labelled images.

    Its functions take probabilities, float32 (N, classes), and labels, uint8 (N,).

    Attributes:
        key: its name in test_metrics.json.
        label: its name for people: on the page, in the model card and on the terminal.
        value: returns the metric.
        interval: returns its 95 % confidence interval; None for a metric without one.
        is_rate: whether it is a fraction, which is shown in per cent.
        has_card: whether the page also shows it in large digits at its top.
        leads_where_unequal: whether it comes first, with a card, where the classes of the test
            split are unequal. Then large classes make up most of the other metrics.
        note: a sentence for the page, below the table of metrics; "" for none. A metric without
            an interval needs one: the reason.
    """

    key: str
    label: str
    value: Callable[[np.ndarray, np.ndarray], float]
    interval: IntervalFunction | None
    is_rate: bool = False
    has_card: bool = True
    leads_where_unequal: bool = False
    note: str = ""

    def shown(self, value: float) -> str:
        """Return a value of this metric as people read it."""
        return f"{100 * value:.2f} %" if self.is_rate else f"{value:.4f}"


METRICS = (
    Metric(
        key="accuracy",
        label="accuracy",
        value=accuracy,
        interval=interval_of_proportion(correct),
        is_rate=True,
    ),
    Metric(
        key="error",
        label="error",
        value=error_rate,
        interval=interval_of_proportion(incorrect),
        is_rate=True,
        has_card=False,  # it says the same as the accuracy
    ),
    Metric(
        key="top_2_accuracy",
        label="top-2 accuracy",
        value=partial(top_k_accuracy, k=2),
        interval=interval_of_proportion(partial(top_k_correct, k=2)),
        is_rate=True,
    ),
    Metric(
        key="negative_log_likelihood",
        label="negative log likelihood",
        value=cross_entropy,
        interval=interval_of_mean(log_losses),
    ),
    Metric(
        key="brier_score",
        label="Brier score",
        value=brier_score,
        interval=interval_of_mean(squared_errors),
    ),
    Metric(
        key="expected_calibration_error",
        label="expected calibration error",
        value=expected_calibration_error,
        interval=None,
        note=(
            f"The expected calibration error ({BINS} bins) has no interval: sampling biases it "
            "upwards, by an amount that depends on the number of images."
        ),
    ),
    Metric(
        key="balanced_accuracy",
        label="balanced accuracy",
        value=balanced_accuracy,
        interval=balanced_accuracy_interval,
        is_rate=True,
        has_card=False,  # of equal classes it is the accuracy
        leads_where_unequal=True,
        note="The balanced accuracy is the mean recall of the classes.",
    ),
    Metric(
        key="macro_f1",
        label="macro F1",
        value=macro_f1,
        interval=macro_f1_interval,
        has_card=False,  # of equal classes it hardly differs from the accuracy
        leads_where_unequal=True,
        note="Macro F1 is the mean F1 of the classes.",
    ),
)


def values_of(probabilities: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Return the value of every metric by its key, in the order of METRICS.

    Args:
        probabilities: float32 (N, classes).
        labels: uint8 (N,), N at least 1.

    Raises:
        ValueError: the shapes do not belong together.
    """
    return {metric.key: metric.value(probabilities, labels) for metric in METRICS}
