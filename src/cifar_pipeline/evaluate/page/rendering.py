"""Write the page of results, which needs no network, and the model card, from the same figures."""

import re
from dataclasses import dataclass
from math import comb
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from cifar_pipeline.common.atomic import replacing
from cifar_pipeline.dataset.cifar10 import CLASS_NAMES
from cifar_pipeline.evaluate.mixed_images import Sweep, TopTwo
from cifar_pipeline.evaluate.page import figures, gallery
from cifar_pipeline.evaluate.page.provenance import Provenance
from cifar_pipeline.evaluate.predictions import Predictions
from cifar_pipeline.evaluate.reports import scores
from cifar_pipeline.evaluate.thresholds import OperatingPoint
from cifar_pipeline.metrics.calibration import expected_calibration_error, reliability
from cifar_pipeline.metrics.classification import (
    likeliest,
    log_losses,
    squared_distances,
    top_k_hits,
)
from cifar_pipeline.metrics.confidence_intervals import Interval, mean_interval, wilson_interval
from cifar_pipeline.metrics.confusion import confused_pairs, error_table

_FOLDER = Path(__file__).parent
_PAGE, _CARD = "page.html.j2", "model_card.md.j2"
_NAMES = {
    "accuracy": "accuracy",
    "error": "error",
    "top_2_accuracy": "top-2 accuracy",
    "negative_log_likelihood": "negative log likelihood",
    "brier_score": "Brier score",
    "expected_calibration_error": "expected calibration error",
}
_RATES = ("accuracy", "error", "top_2_accuracy")
_PAIRS = 8
_STRIP = slice(None, None, 4)  # of the 21 blends
_OF_2017 = {"cat", "dog"}


@dataclass(frozen=True)
class Mixed:
    """What the model says of mixed images: counts, and a few blends from end to end."""

    blends: TopTwo
    collages: TopTwo
    sweeps: list[Sweep]


@dataclass(frozen=True)
class Findings:
    """Everything that page and model card tell.

    Attributes:
        predictions: of the test split.
        images: the test split, uint8 (N, 32, 32, 3).
        provenance: where the model comes from.
        mixed: what it says of mixed images; None where there are none to mix.
        operating_point: the temperature and the threshold that `predict` uses.
    """

    predictions: Predictions
    images: np.ndarray
    provenance: Provenance
    mixed: Mixed | None
    operating_point: OperatingPoint


def write_page(page: Path, card: Path, findings: Findings) -> None:
    """Write the page of results (HTML) and the model card (Markdown).

    The same findings give the same bytes.
    """
    content = _content(findings)
    for path, template, escaped in ((page, _PAGE, True), (card, _CARD, False)):
        environment = Environment(
            loader=FileSystemLoader(_FOLDER),
            autoescape=escaped,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )
        environment.filters["markdown"] = _escaped_for_markdown
        text = environment.get_template(template).render(content)
        with replacing(path) as temporary:
            temporary.write_text(text, encoding="utf-8", newline="\n")


def _escaped_for_markdown(text: str) -> str:
    """Return `text`, which may hold anything, as Markdown that shows it."""
    return re.sub(r"([\\`*_\[\]<>|#~&!$])", r"\\\1", text)


def _content(findings: Findings) -> dict[str, Any]:
    predictions, names = findings.predictions, findings.predictions.names
    provenance, mixed = findings.provenance, findings.mixed
    labels = predictions.labels
    is_cifar = names == CLASS_NAMES
    matrix = predictions.matrix
    table = error_table(matrix, names).sort_values("error_rate", ascending=False, kind="stable")
    pairs = confused_pairs(matrix, names, _PAIRS)
    rows = score_rows(predictions)
    before = reliability(predictions.probabilities, labels)
    after = reliability(predictions.scaled, labels)
    plain = scores(predictions.probabilities, labels)

    def shown(indices: np.ndarray) -> list[gallery.Picture]:
        return gallery.pictures(indices, findings.images, predictions)

    return {
        "title": f"{100 * plain['accuracy']:.2f} % of the test images right",
        "provenance": provenance,
        "number": len(labels),
        "cards": _cards(rows),
        "scores": rows,
        "temperature": predictions.temperature,
        "augmented": predictions.averaged is not None,
        "curves": [
            figures.learning_curve(provenance.history, measure, provenance.training["best_epoch"])
            for measure in ("loss", "accuracy")
        ],
        "classes": table.to_dict("records"),
        "pairs": pairs,
        "pairs_remark": remark_on_pairs(pairs, is_cifar),
        "confusion": figures.confusion(matrix, names),
        "names": names,
        "is_cifar": is_cifar,
        "data_set": "CIFAR-10" if is_cifar else f"pictures of {len(names)} classes",
        "operating_point": findings.operating_point,
        "matrix": matrix.tolist(),
        "calibration_remark": _remark_on_calibration(predictions),
        "reliability": [
            figures.reliability_diagram(before, "as trained"),
            figures.reliability_diagram(after, "after temperature scaling"),
        ],
        "mistakes": shown(gallery.confident_mistakes(predictions)),
        "uncertain": shown(gallery.least_certain(predictions)),
        "mixed": mixed,
        "chance": 1 / comb(len(names), 2),
        "sweeps": [_shown_sweep(sweep, names) for sweep in mixed.sweeps] if mixed else [],
        "training_images": provenance.training_images,
        "validation_images": provenance.validation_images,
        "model_digest": provenance.model_digest,
        "weights": sum(layer.weights for layer in provenance.layers),
    }


def score_rows(predictions: Predictions) -> list[dict[str, str]]:
    """Return one row a score: its name, its value in each way of judging, its 95 % interval.

    A calibration error has none: chance only ever adds to it, so that it is no mean.
    """
    labels = predictions.labels
    plain = scores(predictions.probabilities, labels)
    scaled = scores(predictions.scaled, labels)
    averaged = plain if predictions.averaged is None else scores(predictions.averaged, labels)
    intervals = {
        key: " to ".join(_shown(key, bound) for bound in interval)
        for key, interval in _intervals(predictions.probabilities, labels).items()
    }
    return [
        {
            "key": key,
            "name": name,
            "plain": _shown(key, plain[key]),
            "interval": intervals.get(key, "no interval"),
            "scaled": _shown(key, scaled[key]),
            "augmented": _shown(key, averaged[key]),
        }
        for key, name in _NAMES.items()
    ]


def _shown(key: str, value: float) -> str:
    return f"{100 * value:.2f} %" if key in _RATES else f"{value:.4f}"


def _intervals(probabilities: np.ndarray, labels: np.ndarray) -> dict[str, Interval]:
    number = len(labels)
    right = int((probabilities.argmax(axis=1) == labels).sum())
    return {
        "accuracy": wilson_interval(right, number),
        "error": wilson_interval(number - right, number),
        "top_2_accuracy": wilson_interval(int(top_k_hits(probabilities, labels, 2).sum()), number),
        "negative_log_likelihood": mean_interval(log_losses(probabilities, labels)),
        "brier_score": mean_interval(squared_distances(probabilities, labels)),
    }


def _cards(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    return [
        {
            "name": row["name"],
            "value": row["plain"],
            "note": row["interval"],
            "scaled": row["scaled"],
        }
        for row in rows
        if row["key"] != "error"
    ]


def remark_on_pairs(pairs: list[tuple[str, str, int]], is_cifar: bool) -> str:
    """Say which of `pairs`, from `confused_pairs`, lead, and of CIFAR-10 where cat and dog are."""
    if not pairs:
        return "No image is mistaken."
    if not is_cifar:
        return f"Mistakes both ways are counted: {' and '.join(pairs[0][:2])} lead."
    sets = [{first, second} for first, second, _ in pairs]
    if sets[0] == _OF_2017:
        return (
            "Cat and dog lead, as they did for the network of 2017. Mistakes both ways are counted."
        )
    place = f", here they come in place {sets.index(_OF_2017) + 1}" if _OF_2017 in sets else ""
    lead = " and ".join(pairs[0][:2])
    return f"Mistakes both ways: {lead} lead. For the network of 2017 it was cat and dog{place}."


def _remark_on_calibration(predictions: Predictions) -> str:
    confidence = float(predictions.confidence.mean())
    accuracy = float((predictions.predicted == predictions.labels).mean())
    before = expected_calibration_error(predictions.probabilities, predictions.labels)
    after = expected_calibration_error(predictions.scaled, predictions.labels)
    effect = f"The temperature {predictions.temperature:.3f} leaves {after:.4f}."
    if predictions.temperature == 1:
        effect = "No temperature suits the validation images best, so it is left as it is."
    manner = "too modest" if confidence < accuracy else "too sure of itself"
    return (
        f"As trained the model is {manner}: its mean confidence is {confidence:.3f}, its accuracy "
        f"{accuracy:.3f}, and the expected calibration error {before:.4f}. {effect}"
    )


def _shown_sweep(sweep: Sweep, names: tuple[str, ...]) -> dict[str, Any]:
    one, other = sweep.parents.classes
    return {
        "title": f"{names[one]} to {names[other]}",
        "strip": [gallery.as_png(image) for image in sweep.blends[_STRIP]],
        "curve": figures.sweep_curves(sweep, names),
        "collage": gallery.as_png(sweep.collage),
        "guesses": [
            (names[at], float(sweep.of_collage[at])) for at in likeliest(sweep.of_collage, 3)
        ],
    }
