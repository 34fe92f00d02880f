"""The table of metrics of the test split, as the page, the model card and the terminal show it."""

from dataclasses import dataclass

from cifar_pipeline.evaluate.predictions import Predictions
from cifar_pipeline.metrics.class_sizes import are_unequal
from cifar_pipeline.metrics.registry import METRICS, Metric, values_of


@dataclass(frozen=True)
class ScoreRow:
    """One metric of the test split, as text.

    Attributes:
        metric: the entry of the registry.
        as_trained: of the model's own probabilities.
        interval: the 95 % confidence interval of that, or "no interval".
        scaled: of the probabilities after temperature scaling.
        augmented: of the probabilities with test-time augmentation; "" without it.
        has_card: whether the page shows it in large digits at its top.
    """

    metric: Metric
    as_trained: str
    interval: str
    scaled: str
    augmented: str
    has_card: bool


def score_rows(predictions: Predictions) -> list[ScoreRow]:
    """Return one row for each metric of the registry, in its order.

    Where the classes of the test split are unequal, the metrics that are for such come first.
    """
    unequal = are_unequal(predictions.labels)
    labels, augmented = predictions.labels, predictions.augmented
    as_trained = values_of(predictions.probabilities, labels)
    scaled = values_of(predictions.scaled, labels)
    with_augmentation = {} if augmented is None else values_of(augmented, labels)
    return [
        ScoreRow(
            metric,
            metric.shown(as_trained[metric.key]),
            _shown_interval(metric, predictions),
            metric.shown(scaled[metric.key]),
            metric.shown(with_augmentation[metric.key]) if with_augmentation else "",
            metric.has_card or (unequal and metric.leads_where_unequal),
        )
        for metric in sorted(METRICS, key=lambda each: not (unequal and each.leads_where_unequal))
    ]


def _shown_interval(metric: Metric, predictions: Predictions) -> str:
    if metric.interval is None:
        return "no interval"
    bounds = metric.interval(predictions.probabilities, predictions.labels)
    return " to ".join(map(metric.shown, bounds))
