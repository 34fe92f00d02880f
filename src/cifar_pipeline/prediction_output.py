"""Write predictions to standard output: a table for people, JSON or CSV for programs."""

import csv
import json
import sys
from collections.abc import Iterable
from typing import Any

from rich.console import Console
from rich.table import Table

from cifar_pipeline.familiarity import Calibration
from cifar_pipeline.picture_files import PictureError, shown
from cifar_pipeline.prediction import Familiarity, Prediction

DIGITS = 6
_MARK = "unfamiliar"
# A table takes what it needs of it. In a log, Rich would guess a terminal of 80.
_LOG_WIDTH = 1_000_000

Outcomes = Iterable[Prediction | PictureError]


def print_table(outcomes: Outcomes) -> None:
    """Print a row a picture, and what the mark of unfamiliar pictures rests on.

    Names are escaped as `shown` does. A terminal folds long names, and a log has them whole.
    """
    console = Console(highlight=False, markup=False, emoji=False)
    table = Table()
    table.add_column("picture", overflow="fold")
    table.add_column("class", no_wrap=True)
    table.add_column("probability", justify="right", no_wrap=True)
    table.add_column("warning", no_wrap=True)
    calibration = None
    for outcome in outcomes:
        if isinstance(outcome, Prediction):
            mark = ""
            if outcome.familiarity and outcome.familiarity.unfamiliar:
                calibration = outcome.familiarity.calibration
                mark = f"{_MARK} ({outcome.familiarity.score:#.3g})"
            names, probabilities = zip(*outcome.classes, strict=True)
            column = "\n".join(f"{probability:.4f}" for probability in probabilities)
            table.add_row(shown(outcome.name), "\n".join(names), column, mark, end_section=True)
    if not table.row_count:
        return
    if not console.is_terminal:
        console.width = _LOG_WIDTH
    console.print(table)
    if calibration:
        console.print(_explanation(calibration), soft_wrap=True)


def _explanation(calibration: Calibration) -> str:
    return (
        f"{_MARK}: the model finds little in the picture of what it was trained on, and its "
        f"classes may mean nothing. The score in brackets ({calibration.score}) is below "
        f"{calibration.threshold:#.3g}, as it is for {calibration.false_alarm_rate:.2%} of the "
        f"{calibration.test_images:,} test images (false alarms)."
    )


def print_json(outcomes: Outcomes) -> None:
    """Print a list of objects, one a picture, all with the same fields.

    `classes` is empty where `error` is a text, and `error` is null where it is not. `familiarity`
    is null where it cannot be told.
    """
    print(json.dumps([_json_object(outcome) for outcome in outcomes], indent=2))


def _json_object(outcome: Prediction | PictureError) -> dict[str, Any]:
    if isinstance(outcome, PictureError):
        return {
            "picture": outcome.name,
            "classes": [],
            "familiarity": None,
            "error": str(outcome),
        }
    return {
        "picture": outcome.name,
        "classes": [
            {"class": name, "probability": round(probability, DIGITS)}
            for name, probability in outcome.classes
        ],
        "familiarity": _familiarity_fields(outcome.familiarity),
        "error": None,
    }


def _familiarity_fields(familiarity: Familiarity | None) -> dict[str, Any] | None:
    if familiarity is None:
        return None
    return {
        "unfamiliar": familiarity.unfamiliar,
        "score": round(familiarity.score, DIGITS),
        "threshold": familiarity.calibration.threshold,
        "false_alarm_rate": familiarity.calibration.false_alarm_rate,
    }


def print_csv(outcomes: Outcomes, top: int) -> None:
    """Print a header and then a line a picture, as soon as its batch is done.

    The columns: picture (escaped as `shown` does), class_1, probability_1, ... up to `top`, those
    that the model has no class for being empty; unfamiliar, score, threshold, false_alarm_rate and
    error as in JSON.
    """
    ranks = range(1, top + 1)
    familiarity = ["unfamiliar", "score", "threshold", "false_alarm_rate"]
    columns = [f"{kind}_{rank}" for rank in ranks for kind in ("class", "probability")]
    writer = csv.DictWriter(
        sys.stdout, ["picture", *columns, *familiarity, "error"], lineterminator="\n"
    )
    writer.writeheader()
    for outcome in outcomes:
        fields = _json_object(outcome)
        row = {"picture": shown(outcome.name), "error": fields["error"]}
        for rank, entry in enumerate(fields["classes"], start=1):
            row |= {f"{kind}_{rank}": value for kind, value in entry.items()}
        writer.writerow(row | (fields["familiarity"] or {}))
        sys.stdout.flush()
