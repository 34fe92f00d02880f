"""Evaluate the saved model on the test split, which nothing before this stage has looked at."""

from collections.abc import Mapping
from functools import partial
from itertools import combinations
from pathlib import Path

import numpy as np

from cifar_pipeline.common.atomic import writing
from cifar_pipeline.common.console import say
from cifar_pipeline.common.errors import PipelineError
from cifar_pipeline.dataset.arrays import load_class_names, load_labels, load_split
from cifar_pipeline.evaluate.mixed_images import Parents, Predict, choose_parents, judge, sweep
from cifar_pipeline.evaluate.page.provenance import gather_provenance
from cifar_pipeline.evaluate.page.rendering import Findings, Mixed, write_page
from cifar_pipeline.evaluate.predictions import Predictions
from cifar_pipeline.evaluate.reports import write_reports
from cifar_pipeline.evaluate.terminal import print_errors
from cifar_pipeline.evaluate.test_time_augmentation import predict_with_augmentation
from cifar_pipeline.evaluate.thresholds import choose_operating_point, write_operating_point
from cifar_pipeline.fourier.inference import with_fourier_convolutions
from cifar_pipeline.metrics.calibration import at_temperature, fit_temperature
from cifar_pipeline.metrics.classification import accuracy, cross_entropy
from cifar_pipeline.params.evaluate import EvaluateParams
from cifar_pipeline.params.loading import Section
from cifar_pipeline.trained_model.keras_file import (
    check_classes,
    load_saved_model,
    predict_probabilities,
)
from cifar_pipeline.trained_model.ood_statistics import load_ood_statistics
from cifar_pipeline.trained_model.outputs import feature_extractor, predict_outputs
from cifar_pipeline.trained_model.validation_outputs import (
    ValidationOutputs,
    load_validation_outputs,
)

_PAGE, _CARD, _OPERATING_POINT = "index.html", "model_card.md", "chosen.json"
# The blends that the page shows from end to end: the article of 2017 asks for the first.
_BLENDS = (
    ("dog", "airplane"),
    ("cat", "dog"),
    ("automobile", "truck"),
    ("bird", "airplane"),
    ("deer", "horse"),
    ("frog", "ship"),
)


def evaluate(
    model: Path,
    processed: Path,
    reports: Path,
    params: EvaluateParams,
    used: Mapping[str, Section],
) -> None:
    """Predict the test split with the model, write reports and page, and print the errors.

    Args:
        model: the .keras archive of train, beside its validation outputs.
        processed: the folder of preprocess.
        reports: the folder for the files of `write_reports`, chosen.json and index.html; train's
            are there.
        params: batch size, views, and what to print.
        used: every section of params.yaml that made the model, for the page to show.

    Raises:
        PipelineError: the arrays or the model cannot be used.
    """
    images, labels = load_split(processed, "test")
    names = load_class_names(processed)
    network = load_saved_model(model)
    check_classes(network, names)
    provenance = gather_provenance(used, reports, processed, model, network)
    held_out = load_validation_outputs(model)
    temperature = _temperature(held_out, processed)
    network = with_fourier_convolutions(network)
    extractor = feature_extractor(network, load_ood_statistics(model))
    outputs = predict_outputs(extractor, images, params.batch_size)
    # The extractor answers what the model does, and is traced already.
    predict = partial(predict_probabilities, extractor.network, batch_size=params.batch_size)
    averaged = None
    if params.test_time_augmentation != "none":
        averaged = predict_with_augmentation(predict, images, params.test_time_augmentation)
    scaled = at_temperature(outputs.logits, temperature)
    predictions = Predictions(names, labels, outputs.probabilities, temperature, scaled, averaged)
    mixed = _mixed(predict, images, predictions)
    scores = (held_out.ood_scores, outputs.ood_scores)
    operating_point = choose_operating_point(model, temperature, extractor.score_name, *scores)
    with writing(reports):
        write_reports(reports, predictions)
        write_operating_point(reports / _OPERATING_POINT, operating_point)
    findings = Findings(predictions, images, provenance, mixed, operating_point)
    with writing(reports), writing(model.parent):
        write_page(reports / _PAGE, model.with_name(_CARD), findings)
    print_errors(predictions, params.confused_pairs)
    if averaged is not None:
        say(
            f"with test-time augmentation ({params.test_time_augmentation}): test accuracy "
            f"{accuracy(averaged, labels):.4f}, loss {cross_entropy(averaged, labels):.4f}"
        )
    say(f"the whole picture: {reports / _PAGE}")


def _temperature(outputs: ValidationOutputs, processed: Path) -> float:
    labels = load_labels(processed, "validation")
    if len(outputs.logits) != len(labels):
        raise PipelineError(
            f"the model's validation outputs are of {len(outputs.logits):,} images, and "
            f"{processed} holds {len(labels):,}; run `dvc repro`"
        )
    return fit_temperature(outputs.logits, labels)


def _mixed(predict: Predict, images: np.ndarray, predictions: Predictions) -> Mixed | None:
    """Ask the model about mixed images; None where it is right on one class at most."""
    parents = choose_parents(predictions.labels, predictions.predicted, len(predictions.names))
    if not parents:
        return None
    blends, collages = judge(predict, images, parents)
    shown = [sweep(predict, images, pair) for pair in shown_parents(predictions)]
    return Mixed(blends, collages, shown)


def shown_parents(predictions: Predictions) -> list[Parents]:
    """Return, for each of the blends to be shown, the images that the model is surest of."""
    right = predictions.predicted == predictions.labels
    names, surest = predictions.names, {}
    for kind, name in enumerate(names):
        confidence = np.where(right & (predictions.labels == kind), predictions.confidence, 0)
        if confidence.any():
            surest[name] = int(confidence.argmax())
    known = [pair for pair in _BLENDS if set(pair) <= set(surest)]
    # Other classes than CIFAR-10's have no such list: the first pairs will do.
    pairs: dict[frozenset[str], tuple[str, str]] = {}
    for pair in (*known, *combinations(surest, 2)):
        pairs.setdefault(frozenset(pair), pair)
    return [
        Parents(surest[one], surest[other], (names.index(one), names.index(other)))
        for one, other in list(pairs.values())[: len(_BLENDS)]
    ]
