"""Write predictions to standard output: a table for people, JSON or CSV for programs."""

import csv
import json
import sys
from collections.abc import Iterable
from typing import Any

from rich.console import Console
from rich.table import Table

from cifar_pipeline.evaluate.thresholds import Chosen
from cifar_pipeline.images.paths import PictureError, shown
from cifar_pipeline.predict.predictor import Familiarity, Prediction

DIGITS = 6
_MARK = "unfamiliar"
_NARROWEST = 12  # of the column of names, in characters
# A table takes what it needs of it. In a log, Rich would guess a terminal of 80.
_LOG_WIDTH = 1_000_000

Outcomes = Iterable[Prediction | PictureError]


def print_table(outcomes: Outcomes) -> None:
    """Print a row a picture, and what the mark of unfamiliar pictures rests on.

    Names are escaped as `shown` does. A terminal folds long names, and a log has them whole.
    """
    console = Console(highlight=False, markup=False, emoji=False)
    table = Table()
    table.add_column("picture", overflow="fold", min_width=_NARROWEST)
    table.add_column("class", no_wrap=True)
    table.add_column("probability", justify="right", no_wrap=True)
    table.add_column("warning", no_wrap=True)
    chosen = None
    for outcome in outcomes:
        if isinstance(outcome, Prediction):
            mark = "" if outcome.familiarity else "not checked"
            if outcome.familiarity and outcome.familiarity.unfamiliar:
                chosen = outcome.familiarity.chosen
                mark = f"{_MARK} ({outcome.familiarity.score:#.3g})"
            names, probabilities = zip(*outcome.classes, strict=True)
            column = "\n".join(f"{probability:.4f}" for probability in probabilities)
            table.add_row(shown(outcome.name), "\n".join(names), column, mark, end_section=True)
    if not table.row_count:
        return
    if not console.is_terminal:
        console.width = _LOG_WIDTH
    console.print(table)
    if chosen:
        console.print(_explanation(chosen), soft_wrap=True)


def _explanation(chosen: Chosen) -> str:
    return (
        f"{_MARK}: the picture looks unlike those that the model was trained on, and its classes "
        f"may mean nothing. The score in brackets ({chosen.score}) is below "
        f"{chosen.threshold:#.3g}, as it is for {chosen.false_alarm_rate:.2%} of the "
        f"{chosen.test_images:,} test images (false alarms)."
    )


def print_json(outcomes: Outcomes) -> None:
    """Print a list of objects, one a picture, all with the same fields.

    `classes` is empty where `error` is a text, and `error` is null where it is not. `temperature`
    is null where the probabilities are the model's own, `familiarity` where it cannot be told.
    """
    print(json.dumps([_json_object(outcome) for outcome in outcomes], indent=2))


def _json_object(outcome: Prediction | PictureError) -> dict[str, Any]:
    if isinstance(outcome, PictureError):
        return {
            "picture": outcome.name,
            "classes": [],
            "temperature": None,
            "familiarity": None,
            "error": str(outcome),
        }
    return {
        "picture": outcome.name,
        "classes": [
            {"class": name, "probability": round(probability, DIGITS)}
            for name, probability in outcome.classes
        ],
        "temperature": outcome.temperature,
        "familiarity": _familiarity_fields(outcome.familiarity),
        "error": None,
    }


def _familiarity_fields(familiarity: Familiarity | None) -> dict[str, Any] | None:
    if familiarity is None:
        return None
    return {
        "unfamiliar": familiarity.unfamiliar,
        "score": round(familiarity.score, DIGITS),
        "threshold": familiarity.chosen.threshold,
        "false_alarm_rate": familiarity.chosen.false_alarm_rate,
    }


def print_csv(outcomes: Outcomes, top: int) -> None:
    """Print a header and then a line a picture, as soon as its batch is done.

    The columns: picture (escaped as `shown` does), class_1, probability_1, ... up to `top`;
    temperature, unfamiliar, score, threshold,
    false_alarm_rate and error as in JSON.
    """
    ranks = range(1, top + 1)
    familiarity = ["unfamiliar", "score", "threshold", "false_alarm_rate"]
    columns = [f"{kind}_{rank}" for rank in ranks for kind in ("class", "probability")]
    fields = ["picture", *columns, "temperature", *familiarity, "error"]
    writer = csv.DictWriter(sys.stdout, fields, lineterminator="\n")
    writer.writeheader()
    for outcome in outcomes:
        found = _json_object(outcome)
        row = {"picture": shown(outcome.name)}
        row |= {name: found[name] for name in ("temperature", "error")}
        for rank, entry in enumerate(found["classes"], start=1):
            row |= {f"{kind}_{rank}": value for kind, value in entry.items()}
        writer.writerow(row | (found["familiarity"] or {}))
        sys.stdout.flush()
