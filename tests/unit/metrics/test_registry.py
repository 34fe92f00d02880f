"""Every metric of the registry is complete, and every place that reports metrics shows it."""

import inspect
import io
import json
import pkgutil
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from html import unescape
from importlib import import_module

import numpy as np
import pytest
from rich.console import Console

from cifar_pipeline import metrics
from cifar_pipeline.evaluate.reports import metrics_of
from cifar_pipeline.evaluate.scores import score_rows
from cifar_pipeline.evaluate.terminal import print_results
from cifar_pipeline.metrics.registry import METRICS, Metric, values_of
from evaluation_results import predictions_of, results_of, written

REGISTRY = "METRICS in src/cifar_pipeline/metrics/registry.py"
# What README documents, in the order of test_metrics.json. A key or a label never changes.
DOCUMENTED = {
    "accuracy": ("accuracy", True),
    "error": ("error", True),
    "top_2_accuracy": ("top-2 accuracy", True),
    "negative_log_likelihood": ("negative log likelihood", False),
    "brier_score": ("Brier score", False),
    "expected_calibration_error": ("expected calibration error", False),
    "balanced_accuracy": ("balanced accuracy", True),
    "macro_f1": ("macro F1", False),
}

each_metric = pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.key)


def made_up(classes: int = 3, images: int = 300) -> tuple[np.ndarray, np.ndarray]:
    """Return probabilities, float32, and labels of a model that is right in most cases.

    The classes are equal where the number of images is a multiple of theirs.
    """
    random = np.random.default_rng(1)
    labels = random.permutation(np.arange(images) % classes).astype(np.uint8)
    probabilities = random.dirichlet(np.full(classes, 0.5), images) + 0.4 * np.eye(classes)[labels]
    return (probabilities / 1.4).astype(np.float32), labels


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return what each place shows of made-up predictions."""
    probabilities, labels = made_up()
    plain = predictions_of("abc", probabilities, labels.tolist())
    predictions = replace(plain, augmented=plain.scaled[:, [0, 2, 1]])
    page, card = written(results_of(predictions), tmp_path_factory.mktemp("page"))
    console = Console(file=io.StringIO(), force_terminal=True, color_system=None, width=300)
    print_results(predictions, 3, console)
    assert isinstance(console.file, io.StringIO)
    return {
        "test_metrics.json": json.dumps(metrics_of(predictions)),
        "page": unescape(page),
        "model card": card,
        "terminal": console.file.getvalue(),
    }


def test_documented_metrics_keep_key_label_unit_and_order() -> None:
    found = {metric.key: (metric.label, metric.is_rate) for metric in METRICS}
    documented = {key: value for key, value in found.items() if key in DOCUMENTED}
    assert list(documented.items()) == list(DOCUMENTED.items())


def test_rates_are_shown_in_per_cent() -> None:
    rate, other = METRICS[0], METRICS[3]
    assert (rate.shown(0.92264), other.shown(0.40243)) == ("92.26 %", "0.4024")


def test_keys_are_unique() -> None:
    keys = [metric.key for metric in METRICS]
    assert len(set(keys)) == len(keys), f"two entries of {REGISTRY} have one key: {keys}"


@each_metric
def test_an_entry_is_complete(metric: Metric) -> None:
    at = f"the entry {metric.key!r} of {REGISTRY}"
    assert metric.key.isidentifier(), f"{at}: its key is no identifier"
    assert metric.key != "temperature", f"{at}: test_metrics.json has another value of this key"
    assert metric.label.strip(), f"{at}: its label is empty"
    assert metric.interval or metric.note, f"{at}: it has no interval and no note that says why"


@each_metric
@pytest.mark.parametrize("classes", [2, 10])
def test_value_and_interval(metric: Metric, classes: int) -> None:
    at = f"the entry {metric.key!r} of {REGISTRY}"
    probabilities, labels = made_up(classes)
    value = metric.value(probabilities, labels)
    assert isinstance(value, float), f"{at}: its value is a {type(value).__name__}, not a float"
    assert np.isfinite(value), f"{at}: its value is {value}"
    assert not metric.is_rate or 0 <= value <= 1, f"{at}: it is a rate, and its value is {value}"
    if metric.interval:
        low, high = metric.interval(probabilities, labels)
        # The upper bound of Wilson's interval of 1 is 1, but for rounding.
        assert low - 1e-12 < value < high + 1e-12, f"{at}: {value} is not between {low} and {high}"
        again = metric.interval(probabilities, labels)
        assert again == (low, high), f"{at}: its interval differs from call to call; fix the seed"


@each_metric
@pytest.mark.parametrize("place", ["page", "model card", "terminal"])
def test_people_see_value_and_interval(metric: Metric, place: str, places: dict[str, str]) -> None:
    probabilities, labels = made_up()
    shown = [metric.label, metric.shown(metric.value(probabilities, labels))]
    if metric.interval:
        shown.extend(map(metric.shown, metric.interval(probabilities, labels)))
    rows = places[place].splitlines()
    assert any(all(text in row for text in shown) for row in rows), (
        f"the {place} has no row with all of {shown}"
    )


@each_metric
def test_the_file_of_metrics_has_every_key(metric: Metric, places: dict[str, str]) -> None:
    for part in ("test", "test_temperature_scaled", "test_time_augmentation"):
        values = json.loads(places["test_metrics.json"])[part]
        assert metric.key in values, f"test_metrics.json lacks {part}.{metric.key}"


@each_metric
def test_the_page_has_a_card_and_a_note(metric: Metric, places: dict[str, str]) -> None:
    card = f'<div class="card"><small>{metric.label}</small>'
    assert (card in places["page"]) == metric.has_card
    assert metric.note in places["page"], f"the page lacks the note on {metric.label}"


def test_metrics_of_unequal_classes_come_first_where_classes_are_unequal() -> None:
    leading = [metric.key for metric in METRICS if metric.leads_where_unequal]
    assert leading == ["balanced_accuracy", "macro_f1"]
    rest = [metric.key for metric in METRICS if not metric.leads_where_unequal]
    probabilities, labels = made_up()
    for images, first, last in ((300, rest, leading), (299, leading, rest)):
        predictions = predictions_of("abc", probabilities[:images], labels[:images].tolist())
        rows = score_rows(predictions)
        assert [row.metric.key for row in rows] == [*first, *last]
        cards = {row.metric.key for row in rows if row.has_card}
        assert cards.isdisjoint(leading) == (images == 300)
        assert {metric.key for metric in METRICS if metric.has_card} <= cards


def test_values_are_in_the_order_of_the_registry() -> None:
    assert list(values_of(*made_up())) == [metric.key for metric in METRICS]


def functions_with_a_metric() -> list[tuple[str, Callable[..., float]]]:
    """Return the public functions of the package that take probabilities and return a float."""
    found = {}
    for module in pkgutil.iter_modules(metrics.__path__):
        name = f"{metrics.__name__}.{module.name}"
        for function in vars(import_module(name)).values():
            if inspect.isfunction(function) and function.__module__ == name:
                signature = inspect.signature(function)
                takes = list(signature.parameters)[:2] == ["probabilities", "labels"]
                if takes and signature.return_annotation is float:
                    found[f"{module.name}.{function.__name__}"] = function
    return sorted(found.items())


@pytest.mark.parametrize(("name", "function"), functions_with_a_metric())
def test_every_metric_is_registered(name: str, function: Callable[..., float]) -> None:
    values = [metric.value for metric in METRICS]
    plain = [value.func if isinstance(value, partial) else value for value in values]
    assert function in plain, f"metrics/{name} is the value of no entry of {REGISTRY}"
