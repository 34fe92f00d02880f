"""Show on the terminal how the model did and where it errs."""

import numpy as np
from rich.console import Console
from rich.table import Table

from cifar_pipeline.error_table import confused_pairs, confusion_matrix, error_table
from cifar_pipeline.scoring import accuracy, cross_entropy

# Wide enough for every column. In a log, Rich would guess a terminal of 80.
LOG_WIDTH = 100


def print_errors(
    probabilities: np.ndarray, labels: np.ndarray, pairs: int, console: Console | None = None
) -> None:
    """Print the table of classes, the most confused pairs and one line with the scores.

    Args:
        probabilities: float32 (N, 10).
        labels: uint8 (N,).
        pairs: how many pairs of classes to show at most.
        console: where to; standard output by default.
    """
    matrix = confusion_matrix(labels, probabilities.argmax(axis=1))
    console = console or Console(highlight=False, markup=False)
    if not console.is_terminal:
        console.width = LOG_WIDTH
    console.print(_class_table(matrix))
    worst = confused_pairs(matrix, pairs)
    if worst:
        console.print("most confused pairs, errors both ways:")
    for first, second, errors in worst:
        console.print(f"  {first} <-> {second}: {errors:,}")
    console.print(
        f"test accuracy {accuracy(probabilities, labels):.4f}, "
        f"loss {cross_entropy(probabilities, labels):.4f} ({len(labels):,} images)"
    )


def _class_table(matrix: np.ndarray) -> Table:
    table = Table()
    table.add_column("class")
    for heading in ("support", "errors", "error rate", "precision", "recall", "F1"):
        table.add_column(heading, justify="right")
    table.add_column("most confused with")
    for row in error_table(matrix).to_dict("records"):
        worst = row["most_confused_with"]
        table.add_row(
            row["class"],
            f"{row['support']:,}",
            f"{row['errors']:,}",
            *(f"{row[rate]:.4f}" for rate in ("error_rate", "precision", "recall", "f1")),
            f"{worst} ({row['most_confused_count']:,})" if worst else "",
        )
    return table
