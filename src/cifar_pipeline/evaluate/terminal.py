"""What evaluate prints: errors by class, the most confused pairs, and the metrics."""

from dataclasses import replace

from rich.console import Console
from rich.table import Table

from cifar_pipeline.common.console import printable
from cifar_pipeline.evaluate.predictions import Predictions
from cifar_pipeline.evaluate.scores import score_rows
from cifar_pipeline.metrics.calibration import expected_calibration_error
from cifar_pipeline.metrics.class_sizes import are_unequal, largest_class
from cifar_pipeline.metrics.confusion import confused_pairs, error_table, macro_f1
from cifar_pipeline.metrics.loss_and_accuracy import accuracy, balanced_accuracy, cross_entropy

# Wide enough for every column. In a log, Rich would guess a terminal of 80.
LOG_WIDTH = 100


def print_results(predictions: Predictions, pairs: int, console: Console | None = None) -> None:
    """Print the table of classes, the most confused pairs, the table of metrics, and a summary.

    Args:
        predictions: of the test split.
        pairs: how many pairs of classes to show at most.
        console: where to print; standard output by default.
    """
    # A model of another program may have names that would act on a terminal.
    predictions = replace(predictions, names=tuple(map(printable, predictions.names)))
    console = console or Console(highlight=False, markup=False)
    if not console.is_terminal:
        console.width = LOG_WIDTH
    console.print(_class_table(predictions))
    worst = confused_pairs(predictions.matrix, predictions.names, pairs)
    if worst:
        console.print("most confused pairs, errors in both directions:")
    for first, second, errors in worst:
        console.print(f"  {first} <-> {second}: {errors:,}", soft_wrap=True)
    console.print(_metric_table(predictions))
    for line in (*_on_unequal_classes(predictions), *_summary(predictions)):
        console.print(line, soft_wrap=True)


def _class_table(predictions: Predictions) -> Table:
    table = Table()
    table.add_column("class", overflow="fold")  # a long name is whole
    for heading in ("support", "errors", "error rate", "precision", "recall", "F1"):
        table.add_column(heading, justify="right")
    table.add_column("most confused with", overflow="fold")
    for row in error_table(predictions.matrix, predictions.names).to_dict("records"):
        worst = row["most_confused_with"]
        table.add_row(
            row["class"],
            f"{row['support']:,}",
            f"{row['errors']:,}",
            *(f"{row[rate]:.4f}" for rate in ("error_rate", "precision", "recall", "f1")),
            f"{worst} ({row['most_confused_count']:,})" if worst else "",
        )
    return table


def _metric_table(predictions: Predictions) -> Table:
    is_augmented = predictions.augmented is not None
    table = Table()
    table.add_column("metric")
    for heading in ("as trained", "95 % interval", "temperature-\nscaled"):
        table.add_column(heading, justify="right")
    if is_augmented:
        table.add_column("test-time\naugmentation", justify="right")
    for row in score_rows(predictions):
        cells = (row.metric.label, row.as_trained, row.interval, row.scaled)
        table.add_row(*cells, *([row.augmented] if is_augmented else []))
    return table


def _on_unequal_classes(predictions: Predictions) -> tuple[str, ...]:
    probabilities, labels = predictions.probabilities, predictions.labels
    if not are_unequal(labels):
        return ()
    largest, share = largest_class(labels)
    return (
        f"balanced accuracy {balanced_accuracy(probabilities, labels):.4f}, "
        f"macro F1 {macro_f1(probabilities, labels):.4f} (the classes are unequal)",
        f"always {predictions.names[largest]}, the largest class: accuracy {share:.4f}, "
        f"balanced accuracy {1 / len(set(labels.tolist())):.4f}",
    )


def _summary(predictions: Predictions) -> tuple[str, str]:
    probabilities, scaled = predictions.probabilities, predictions.scaled
    labels = predictions.labels
    return (
        f"test accuracy {accuracy(probabilities, labels):.4f}, "
        f"loss {cross_entropy(probabilities, labels):.4f} ({len(labels):,} images)",
        f"at temperature {predictions.temperature:.3f}: loss {cross_entropy(scaled, labels):.4f}, "
        f"expected calibration error {expected_calibration_error(scaled, labels):.4f} instead of "
        f"{expected_calibration_error(probabilities, labels):.4f}",
    )
