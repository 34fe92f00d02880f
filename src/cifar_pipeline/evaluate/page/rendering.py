"""Write the page of results, one HTML file that loads nothing else, and the model card."""

import re
from dataclasses import dataclass
from math import comb
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from cifar_pipeline.common.atomic import replacing
from cifar_pipeline.dataset.cifar10 import CLASS_NAMES
from cifar_pipeline.evaluate.mixed_images import Interpolation, MixedImages
from cifar_pipeline.evaluate.page import figures, gallery
from cifar_pipeline.evaluate.page.provenance import Provenance
from cifar_pipeline.evaluate.page.remarks import (
    remark_on_calibration,
    remark_on_pairs,
    remark_on_shares,
    remark_on_unequal_classes,
)
from cifar_pipeline.evaluate.predictions import Predictions
from cifar_pipeline.evaluate.scores import score_rows
from cifar_pipeline.evaluate.thresholds import OperatingPoint
from cifar_pipeline.metrics.calibration import reliability
from cifar_pipeline.metrics.class_sizes import are_unequal
from cifar_pipeline.metrics.confusion import confused_pairs, error_table
from cifar_pipeline.metrics.loss_and_accuracy import accuracy, balanced_accuracy

_FOLDER = Path(__file__).parent
_PAGE, _CARD = "page.html.j2", "model_card.md.j2"
_PAIRS = 8
_SHOWN_BLENDS = slice(None, None, 4)  # of the 21


@dataclass(frozen=True)
class EvaluationResults:
    """The content of the page and of the model card.

    Attributes:
        predictions: of the test split.
        images: the test split, uint8 (N, H, W, 3).
        provenance: preset, params, data and versions of the model.
        mixed: scores and interpolations of mixed images; None where none could be made.
        operating_point: the temperature and the OOD threshold that `predict` uses.
        validation_labels: uint8 (M,).
        warnings: sentences that a reader has to know first, of the model or of its images.
    """

    predictions: Predictions
    images: np.ndarray
    provenance: Provenance
    mixed: MixedImages | None
    operating_point: OperatingPoint
    validation_labels: np.ndarray
    warnings: tuple[str, ...] = ()


def write_page(page: Path, card: Path, results: EvaluationResults) -> None:
    """Write the page of results (HTML) and the model card (Markdown).

    The same results give the same bytes.
    """
    content = _content(results)
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


def _content(results: EvaluationResults) -> dict[str, Any]:
    """Return the variables of both templates."""
    predictions, provenance = results.predictions, results.provenance
    names = predictions.names
    is_cifar = names == CLASS_NAMES
    return {
        "number": len(predictions.labels),
        "names": names,
        "is_cifar": is_cifar,
        "image_size": results.images.shape[1],
        "data_set": "CIFAR-10" if is_cifar else f"pictures of {len(names)} classes",
        "operating_point": results.operating_point,
        "warnings": results.warnings,
        **_scores(predictions),
        "unequal_remark": remark_on_unequal_classes(predictions),
        "shares_remark": remark_on_shares(names, results.validation_labels, predictions.labels),
        **_errors_by_class(predictions, is_cifar),
        **_calibration(predictions),
        **_galleries(predictions, results.images),
        **_mixed_images(results.mixed, names),
        **_provenance(provenance),
    }


def _scores(predictions: Predictions) -> dict[str, Any]:
    rows = score_rows(predictions)
    return {
        "title": _title(predictions),
        "cards": [row for row in rows if row.has_card],
        "scores": rows,
        "notes": [row.metric.note for row in rows if row.metric.note],
        "temperature": predictions.temperature,
        "augmented": predictions.augmented is not None,
    }


def _title(predictions: Predictions) -> str:
    scored = predictions.probabilities, predictions.labels
    plain = f"{100 * accuracy(*scored):.2f} %"
    if are_unequal(predictions.labels):
        return f"Balanced test accuracy {100 * balanced_accuracy(*scored):.2f} %, accuracy {plain}"
    return f"Test accuracy {plain}"


def _errors_by_class(predictions: Predictions, is_cifar: bool) -> dict[str, Any]:
    matrix, names = predictions.matrix, predictions.names
    table = error_table(matrix, names).sort_values("error_rate", ascending=False, kind="stable")
    pairs = confused_pairs(matrix, names, _PAIRS)
    return {
        "classes": table.to_dict("records"),
        "pairs": pairs,
        "pairs_remark": remark_on_pairs(pairs, is_cifar),
        "matrix": matrix.tolist(),
        "confusion": figures.confusion(matrix, names),
    }


def _calibration(predictions: Predictions) -> dict[str, Any]:
    as_trained = reliability(predictions.probabilities, predictions.labels)
    scaled = reliability(predictions.scaled, predictions.labels)
    return {
        "calibration_remark": remark_on_calibration(predictions),
        "reliability": [
            figures.reliability_diagram(as_trained, "as trained"),
            figures.reliability_diagram(scaled, "after temperature scaling"),
        ],
    }


def _galleries(predictions: Predictions, images: np.ndarray) -> dict[str, Any]:
    indices = {
        "confident_errors": gallery.most_confident_errors(predictions),
        "least_confident": gallery.least_confident(predictions),
    }
    return {
        name: gallery.gallery_images(shown, images, predictions) for name, shown in indices.items()
    }


def _mixed_images(mixed: MixedImages | None, names: tuple[str, ...]) -> dict[str, Any]:
    interpolations = mixed.interpolations if mixed else []
    return {
        "mixed": mixed,
        "chance": 1 / comb(len(names), 2),
        "interpolations": [_shown_interpolation(shown, names) for shown in interpolations],
    }


def _shown_interpolation(interpolation: Interpolation, names: tuple[str, ...]) -> dict[str, Any]:
    one, other = interpolation.sources.classes
    return {
        "title": f"{names[one]} to {names[other]}",
        "blends": [gallery.as_png(image) for image in interpolation.blends[_SHOWN_BLENDS]],
        "curve": figures.interpolation_curves(interpolation, names),
        "collage": gallery.as_png(interpolation.collage),
        "top_classes": gallery.top_of(interpolation.collage_probabilities, names),
    }


def _provenance(provenance: Provenance) -> dict[str, Any]:
    best_epoch = provenance.training["best_epoch"]
    return {
        "provenance": provenance,
        "curves": [
            figures.learning_curve(provenance.history, measure, best_epoch)
            for measure in ("loss", "accuracy")
        ],
        "weights": sum(layer.weights for layer in provenance.layers),
    }
