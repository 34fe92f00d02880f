"""Show on the terminal how the model did and where it errs."""

from rich.console import Console
from rich.table import Table

from cifar_pipeline.evaluate.predictions import Predictions
from cifar_pipeline.metrics.calibration import expected_calibration_error
from cifar_pipeline.metrics.classification import accuracy, cross_entropy
from cifar_pipeline.metrics.confusion import confused_pairs, error_table

# Wide enough for every column. In a log, Rich would guess a terminal of 80.
LOG_WIDTH = 100


def print_errors(predictions: Predictions, pairs: int, console: Console | None = None) -> None:
    """Print the table of classes, the most confused pairs and the scores.

    Args:
        predictions: of the test split.
        pairs: how many pairs of classes to show at most.
        console: where to; standard output by default.
    """
    labels = predictions.labels
    console = console or Console(highlight=False, markup=False)
    if not console.is_terminal:
        console.width = LOG_WIDTH
    console.print(_class_table(predictions))
    worst = confused_pairs(predictions.matrix, predictions.names, pairs)
    if worst:
        console.print("most confused pairs, errors both ways:")
    for first, second, errors in worst:
        console.print(f"  {first} <-> {second}: {errors:,}")
    console.print(
        f"test accuracy {accuracy(predictions.probabilities, labels):.4f}, "
        f"loss {cross_entropy(predictions.probabilities, labels):.4f} ({len(labels):,} images)"
    )
    console.print(
        f"at temperature {predictions.temperature:.3f}: "
        f"loss {cross_entropy(predictions.scaled, labels):.4f}, expected calibration error "
        f"{expected_calibration_error(predictions.scaled, labels):.4f} instead of "
        f"{expected_calibration_error(predictions.probabilities, labels):.4f}"
    )


def _class_table(predictions: Predictions) -> Table:
    table = Table()
    table.add_column("class")
    for heading in ("support", "errors", "error rate", "precision", "recall", "F1"):
        table.add_column(heading, justify="right")
    table.add_column("most confused with")
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
