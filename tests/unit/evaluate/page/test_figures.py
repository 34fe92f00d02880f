"""The figures of the page: names as they are, sizes, gaps."""

import importlib
import os
import re
from html import unescape

import numpy as np
import pandas as pd
import pytest

from cifar_pipeline.evaluate import page
from cifar_pipeline.evaluate.page import figures
from evaluation_results import HOSTILE, predictions_of, results_of, spread


@pytest.mark.parametrize("variable", ["MPLBACKEND", "SOURCE_DATE_EPOCH"])
def test_a_misspelt_choice_for_matplotlib_is_ignored(
    variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "nonsense")
    importlib.reload(page)
    assert variable not in os.environ


def test_the_names_of_a_figure_are_as_they_are() -> None:
    probabilities, labels = spread(4)
    matrix = predictions_of(HOSTILE, probabilities, labels).matrix
    texts = re.findall(r"<text[^>]*>([^<]*)</text>", figures.confusion(matrix, HOSTILE))
    assert set(HOSTILE[:3]) <= {unescape(text) for text in texts}
    results = results_of(predictions_of(HOSTILE, probabilities, labels))
    assert results.mixed
    curve = figures.interpolation_curves(results.mixed.interpolations[0], HOSTILE)
    texts = [unescape(text) for text in re.findall(r"<text[^>]*>([^<]*)</text>", curve)]
    assert {*HOSTILE[:2], "likeliest other"} <= set(texts)


def test_names_that_would_leave_no_room_are_shortened() -> None:
    """Matplotlib would warn that the axes have collapsed, which is an error here."""
    names = ("cat", "x" * 250, "y " * 100, "dog")
    matrix = predictions_of(names, *spread(4)).matrix
    texts = re.findall(r"<text[^>]*>([^<]*)</text>", figures.confusion(matrix, names))
    assert {"x" * 31 + "\u2026", "cat"} <= {unescape(text) for text in texts}
    mixed = results_of(predictions_of(names, *spread(4))).mixed
    assert mixed
    long = next(each for each in mixed.interpolations if 1 in each.sources.classes)
    assert "x" * 31 + "\u2026" in figures.interpolation_curves(long, names)


def test_many_classes_are_a_larger_figure_without_numbers() -> None:
    sizes = {}
    for classes in (10, 25, 60):
        names = tuple(f"kind {at}" for at in range(classes))
        figure = figures.confusion(predictions_of(names, *spread(classes)).matrix, names)
        numbers = re.findall(r"<text[^>]*>[12]</text>", figure)
        assert bool(numbers) == (classes <= 25)
        sizes[classes] = float(re.findall(r'viewBox="0 0 ([\d.]+)', figure)[0])
    assert sizes[10] < sizes[25] < sizes[60] < 1100


def test_a_learning_curve_passes_over_epochs_without_validation() -> None:
    def lines_of_two_points(last: float) -> int:
        history = pd.DataFrame(
            {"epoch": [1, 2, 3], "loss": [2.0, 1.0, 0.9], "val_loss": [1.5, np.nan, last]}
        )
        drawn = figures.learning_curve(history, "loss", best_epoch=3)
        paths = re.findall(r'<path d="(M[^"]*)"', drawn)
        return sum(re.findall("[A-Z]", path) == ["M", "L"] for path in paths)

    assert lines_of_two_points(1.2) == lines_of_two_points(np.nan) + 1
