"""Write predictions to standard output: a table for people, JSON or CSV for programs."""

import csv
import json
import sys
from collections.abc import Iterable
from typing import Any

from rich.console import Console
from rich.table import Table

from cifar_pipeline.common.console import printable
from cifar_pipeline.evaluate.thresholds import OperatingPoint
from cifar_pipeline.images.paths import PictureError, shown
from cifar_pipeline.predict.predictor import OodCheck, Prediction

DIGITS = 6
_MARK = "out of distribution"
_NARROWEST = 12  # of the column of names, in characters
# A table takes what it needs of it. In a log, Rich would guess a terminal of 80.
_LOG_WIDTH = 1_000_000

Outcomes = Iterable[Prediction | PictureError]


def print_table(outcomes: Outcomes) -> None:
    """Print a row a picture, and the threshold that OOD pictures are marked by.

    Names are escaped as `shown` does. A terminal folds long names, and a log has them whole.
    """
    console = Console(highlight=False, markup=False, emoji=False)
    table = Table()
    table.add_column("picture", overflow="fold", min_width=_NARROWEST)
    table.add_column("class", no_wrap=True)
    table.add_column("probability", justify="right", no_wrap=True)
    table.add_column("warning", no_wrap=True)
    operating_point = None
    for outcome in outcomes:
        if isinstance(outcome, Prediction):
            mark = "" if outcome.ood else "not checked"
            if outcome.ood and outcome.ood.out_of_distribution:
                operating_point = outcome.ood.operating_point
                mark = f"{_MARK} ({outcome.ood.score:#.3g})"
            names, probabilities = zip(*outcome.classes, strict=True)
            column = "\n".join(f"{probability:.4f}" for probability in probabilities)
            table.add_row(
                shown(outcome.name),
                "\n".join(map(printable, names)),
                column,
                mark,
                end_section=True,
            )
    if not table.row_count:
        return
    if not console.is_terminal:
        console.width = _LOG_WIDTH
    console.print(table)
    if operating_point:
        console.print(_explanation(operating_point), soft_wrap=True)


def _explanation(operating_point: OperatingPoint) -> str:
    return (
        f"{_MARK}: the picture is unlike the training images, and its classes may mean nothing. "
        f"The score in brackets ({operating_point.score}) is below "
        f"{operating_point.threshold:#.3g}, as it is for "
        f"{operating_point.false_alarm_rate:.2%} of the {operating_point.test_images:,} test "
        "images (false alarms)."
    )


def print_json(outcomes: Outcomes) -> None:
    """Print a list of objects, one a picture, all with the same fields.

    `classes` is empty where `error` is a text, and `error` is null where it is not. `temperature`
    is null where the probabilities are the model's own, `out_of_distribution` where the model has
    no threshold. `familiarity` holds the same by its names of versions before 0.2.
    """
    print(json.dumps([_json_object(outcome) for outcome in outcomes], indent=2))


def _json_object(outcome: Prediction | PictureError) -> dict[str, Any]:
    if isinstance(outcome, PictureError):
        return {
            "picture": outcome.name,
            "classes": [],
            "temperature": None,
            "out_of_distribution": None,
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
        "out_of_distribution": _ood_fields(outcome.ood, "detected"),
        "familiarity": _ood_fields(outcome.ood, "unfamiliar"),
        "error": None,
    }


def _ood_fields(ood: OodCheck | None, verdict: str) -> dict[str, Any] | None:
    """Return the fields of an OOD check; `verdict` is the name of the first one."""
    if ood is None:
        return None
    return {
        verdict: ood.out_of_distribution,
        "score": round(ood.score, DIGITS),
        "threshold": ood.operating_point.threshold,
        "false_alarm_rate": ood.operating_point.false_alarm_rate,
    }


def print_csv(outcomes: Outcomes, top: int) -> None:
    """Print a header and then a line a picture, as soon as its batch is done.

    The columns: picture (escaped as `shown` does), class_1, probability_1, ... up to `top`;
    temperature, unfamiliar, score, threshold, false_alarm_rate and error as in JSON; and
    out_of_distribution, a better name of `unfamiliar`.
    """
    ranks = range(1, top + 1)
    ood_fields = ["unfamiliar", "score", "threshold", "false_alarm_rate"]
    columns = [f"{kind}_{rank}" for rank in ranks for kind in ("class", "probability")]
    fields = ["picture", *columns, "temperature", *ood_fields, "error", "out_of_distribution"]
    writer = csv.DictWriter(sys.stdout, fields, lineterminator="\n")
    writer.writeheader()
    for outcome in outcomes:
        found = _json_object(outcome)
        row = {"picture": shown(outcome.name)}
        row |= {name: found[name] for name in ("temperature", "error")}
        for rank, entry in enumerate(found["classes"], start=1):
            row |= {f"{kind}_{rank}": value for kind, value in entry.items()}
        ood = found["familiarity"] or {"unfamiliar": None}
        writer.writerow(row | ood | {"out_of_distribution": ood["unfamiliar"]})
        sys.stdout.flush()
