"""Evaluate the saved model on the test split, which no earlier stage reads."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import numpy as np

from cifar_pipeline.common.atomic import require_writable, writing
from cifar_pipeline.common.console import say
from cifar_pipeline.common.errors import PipelineError
from cifar_pipeline.dataset.arrays import load_class_names, load_labels, load_split
from cifar_pipeline.dataset.image_set import load_image_set, warnings_of_images
from cifar_pipeline.evaluate.mixed_images import evaluate_mixed_images
from cifar_pipeline.evaluate.page.provenance import gather_provenance
from cifar_pipeline.evaluate.page.rendering import EvaluationResults, write_page
from cifar_pipeline.evaluate.predictions import Predictions
from cifar_pipeline.evaluate.reports import FILES, write_reports
from cifar_pipeline.evaluate.terminal import print_results
from cifar_pipeline.evaluate.test_time_augmentation import predict_with_augmentation
from cifar_pipeline.evaluate.thresholds import choose_operating_point, write_operating_point
from cifar_pipeline.fourier.inference import with_fourier_convolutions
from cifar_pipeline.metrics.calibration import at_temperature, fit_temperature
from cifar_pipeline.metrics.chance import warning_of_chance
from cifar_pipeline.metrics.loss_and_accuracy import accuracy, cross_entropy
from cifar_pipeline.params.evaluate import EvaluateParams
from cifar_pipeline.params.loading import Section
from cifar_pipeline.trained_model.batch_size import images_at_once
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


def evaluate(
    model: Path,
    processed: Path,
    reports: Path,
    params: EvaluateParams,
    used: Mapping[str, Section],
) -> None:
    """Predict the test split with the model, write reports and page, and print the results.

    Args:
        model: the .keras archive of train, beside its validation outputs.
        processed: the folder of preprocess.
        reports: the folder of reports, which already holds those of train. The files of
            `write_reports`, chosen.json and index.html are written there.
        params: batch size, test-time augmentation, and how many confused pairs to print.
        used: every section of params.yaml that made the model; the page shows them.

    Raises:
        PipelineError: the arrays or the model cannot be used; a folder cannot be written.
    """
    require_writable(reports, *FILES, _OPERATING_POINT, _PAGE)
    require_writable(model.parent, _CARD)
    images, labels = load_split(processed, "test")
    names = load_class_names(processed)
    network = load_saved_model(model)
    check_classes(network, names)
    provenance = gather_provenance(used, reports, processed, model, network)
    held_out = load_validation_outputs(model)
    held_out_labels = _labels_of(held_out, processed)
    temperature = fit_temperature(held_out.logits, held_out_labels)
    whitens = bool(used[f"models.{provenance.preset}"].model_dump()["whitening"])
    chance = warning_of_chance(held_out.logits, held_out_labels, provenance.preset, whitens)
    image_set = load_image_set(processed, "preprocess")
    warnings = tuple(filter(None, (*warnings_of_images(image_set), chance)))
    network = with_fourier_convolutions(network)
    extractor = feature_extractor(network, load_ood_statistics(model))
    batch_size = images_at_once(network, params.batch_size)
    outputs = predict_outputs(extractor, images, batch_size)
    # The extractor returns the model's probabilities, too, and is traced already.
    predict = partial(predict_probabilities, extractor.network, batch_size=batch_size)
    augmented = None
    if params.test_time_augmentation != "none":
        augmented = predict_with_augmentation(
            predict, images, params.test_time_augmentation, part=4 * batch_size
        )
    scaled = at_temperature(outputs.logits, temperature)
    predictions = Predictions(names, labels, outputs.probabilities, temperature, scaled, augmented)
    mixed = evaluate_mixed_images(predict, images, predictions)
    scores = (held_out.ood_scores, outputs.ood_scores)
    operating_point = choose_operating_point(model, temperature, extractor.score_name, *scores)
    with writing(reports):
        write_reports(reports, predictions)
        write_operating_point(reports / _OPERATING_POINT, operating_point)
    results = EvaluationResults(
        predictions,
        images,
        provenance,
        mixed,
        operating_point,
        held_out_labels,
        warnings,
    )
    with writing(reports), writing(model.parent):
        write_page(reports / _PAGE, model.with_name(_CARD), results)
    print_results(predictions, params.confused_pairs)
    if augmented is not None:
        say(
            f"with test-time augmentation ({params.test_time_augmentation}): test accuracy "
            f"{accuracy(augmented, labels):.4f}, loss {cross_entropy(augmented, labels):.4f}"
        )
    say(f"the page of results: {reports / _PAGE}")
    for warning in warnings:
        say(f"warning: {warning}")


def _labels_of(outputs: ValidationOutputs, processed: Path) -> np.ndarray:
    labels = load_labels(processed, "validation")
    if len(outputs.logits) != len(labels):
        raise PipelineError(
            f"the model's validation outputs are of {len(outputs.logits):,} images, and "
            f"{processed} holds {len(labels):,}; run `dvc repro`"
        )
    return labels
