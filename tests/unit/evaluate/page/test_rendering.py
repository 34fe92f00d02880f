"""What the page and the model card show, of results worked by hand."""

import re
from collections.abc import Sequence
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cifar_pipeline.dataset.cifar10 import CLASS_NAMES
from cifar_pipeline.evaluate.mixed_images import evaluate_mixed_images, most_confident_pairs
from cifar_pipeline.evaluate.page import figures
from cifar_pipeline.evaluate.page.gallery import (
    gallery_images,
    least_confident,
    most_confident_errors,
)
from cifar_pipeline.evaluate.page.provenance import Layer, Provenance
from cifar_pipeline.evaluate.page.remarks import remark_on_pairs
from cifar_pipeline.evaluate.page.rendering import EvaluationResults, write_page
from cifar_pipeline.evaluate.predictions import Predictions
from cifar_pipeline.evaluate.thresholds import OperatingPoint
from cifar_pipeline.metrics.calibration import at_temperature

HOSTILE = ("$x_1$ & co", "_b<script>alert(1)</script>", '"on" | `a` *b*', "\u65e5\u672c #000001")


def predictions_of(
    names: Sequence[str], probabilities: np.ndarray, labels: Sequence[int], temperature: float = 2.0
) -> Predictions:
    scaled = at_temperature(np.log(np.maximum(probabilities, 1e-30)), temperature)
    return Predictions(
        tuple(names),
        np.array(labels, np.uint8),
        probabilities.astype(np.float32),
        temperature,
        scaled,
    )


def results_of(predictions: Predictions, hardest_share: float = 1.0) -> EvaluationResults:
    """Return results with noise for images and a model that answers by their mean colours."""
    random = np.random.default_rng(1)
    classes = len(predictions.names)
    images = random.integers(0, 256, (len(predictions.labels), 32, 32, 3), np.uint8)

    def predict(images: np.ndarray) -> np.ndarray:
        return np.eye(classes, dtype=np.float32)[images.mean(axis=(1, 2, 3)).astype(int) % classes]

    provenance = Provenance(
        preset="hand",
        seed=1,
        params="train:\n  seed: 1\n",
        label_smoothing=0.2,
        hardest_share=hardest_share,
        history=pd.DataFrame(
            {
                "epoch": [1, 2, 3],
                "loss": [2.0, 1.0, 0.9],
                "accuracy": [0.4, 0.5, 0.6],
                "val_loss": [1.5, np.nan, 1.2],
                "val_accuracy": [0.3, np.nan, 0.45],
            }
        ),
        training={
            "best_epoch": 3,
            "epochs": 3,
            "stopped_early": False,
            "precision": "float32",
            "train": {"accuracy": 0.5},
            "validation": {"accuracy": 0.45},
        },
        layers=[Layer("pixels", "InputLayer", "32 x 32 x 3", 0), Layer("dense", "Dense", "2", 9)],
        training_images=20,
        validation_images=10,
        model_digest="0" * 64,
        hashes={"test_images.npy": "1" * 64},
        versions={"Python": "3.11.2"},
    )
    operating_point = OperatingPoint(
        temperature=predictions.temperature,
        score="norm_and_distance",
        threshold=-3.25,
        target_false_alarm_rate=0.01,
        validation_images=10,
        false_alarm_rate=0.0123,
        test_images=len(images),
        model_sha256="0" * 64,
    )
    mixed = evaluate_mixed_images(predict, images, predictions)
    return EvaluationResults(predictions, images, provenance, mixed, operating_point)


def spread(classes: int, each: int = 3) -> tuple[np.ndarray, list[int]]:
    """Return probabilities and labels, the last image of each class being taken for the next."""
    labels = np.repeat(np.arange(classes), each)
    predicted = labels.copy()
    predicted[each - 1 :: each] = (predicted[each - 1 :: each] + 1) % classes
    rest = np.full((len(labels), classes), 0.3 / (classes - 1))
    rest[np.arange(len(labels)), predicted] = 0.7
    return rest, labels.tolist()


def written(results: EvaluationResults, folder: Path) -> tuple[str, str]:
    write_page(folder / "index.html", folder / "card.md", results)
    return (folder / "index.html").read_text(), (folder / "card.md").read_text()


class Parsed(HTMLParser):
    """The names of a page's elements and attributes, and its texts."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


@pytest.mark.parametrize(("share", "said"), [(0.55, True), (1.0, False)])
def test_it_is_said_of_which_images_the_training_loss_is(
    share: float, said: bool, tmp_path: Path
) -> None:
    names = ["cat", "dog"]
    page, _ = written(results_of(predictions_of(names, *spread(2)), share), tmp_path)
    assert ("trains on 55 % of the training images" in page) is said


@pytest.mark.parametrize("names", [HOSTILE, HOSTILE[:2], [f"kind {at}" for at in range(40)]])
def test_classes_of_any_name_and_number(names: Sequence[str], tmp_path: Path) -> None:
    page, card = written(results_of(predictions_of(names, *spread(len(names)))), tmp_path)
    parsed = Parsed()
    parsed.feed(page)
    assert "script" not in parsed.tags
    assert not {name for name in parsed.attributes if name.startswith("on")}
    shown = " ".join(parsed.texts)
    assert all(name in shown for name in names)
    # Neither a story about CIFAR-10 nor its licence.
    for story in ("CIFAR", "2017", "dog", "airplane"):
        assert story not in shown
        assert story not in card
    assert ("likeliest other" in page) == (len(names) > 2)
    assert ('<section class="narrow">' in page) == (len(names) <= 25)
    assert "<section class=&" not in page
    rows = [line for line in card.splitlines() if line.startswith("| ")]
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {5, 7}


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


def test_many_classes_are_a_larger_figure_without_numbers() -> None:
    sizes = {}
    for classes in (10, 25, 60):
        names = tuple(f"kind {at}" for at in range(classes))
        figure = figures.confusion(predictions_of(names, *spread(classes)).matrix, names)
        numbers = re.findall(r"<text[^>]*>[12]</text>", figure)
        assert bool(numbers) == (classes <= 25)
        sizes[classes] = float(re.findall(r'viewBox="0 0 ([\d.]+)', figure)[0])
    assert sizes[10] < sizes[25] < sizes[60] < 1100


def test_galleries_by_hand() -> None:
    probabilities = np.array(
        [[0.9, 0.1, 0], [0.6, 0.3, 0.1], [0.2, 0.7, 0.1], [0.4, 0.35, 0.25], [0.05, 0.05, 0.9]]
    )
    predictions = predictions_of("abc", probabilities, [1, 0, 0, 1, 2])
    assert most_confident_errors(predictions).tolist() == [0, 2, 3]
    assert most_confident_errors(predictions, 1).tolist() == [0]
    assert least_confident(predictions, 3).tolist() == [3, 1, 2]
    images = np.zeros((5, 32, 32, 3), np.uint8)
    (shown,) = gallery_images(np.array([3]), images, predictions)
    assert (shown.index, shown.label) == (3, "b")
    names, shares = zip(*shown.top_classes, strict=True)
    assert names == ("a", "b", "c")
    assert shares == pytest.approx((0.4, 0.35, 0.25))


def test_remarks_on_pairs() -> None:
    first, second = ("cat", "dog", 9), ("bird", "deer", 5)
    assert remark_on_pairs([], True) == "No test image is misclassified."
    assert remark_on_pairs([first, second], True).endswith(
        "Most confused: cat and dog, as with the network of 2017."
    )
    behind = remark_on_pairs([second, first], True)
    assert "Most confused: bird and deer." in behind
    assert "That pair has place 2 here." in behind
    assert "place" not in remark_on_pairs([second], True)
    assert "2017" not in remark_on_pairs([first], False)


def test_the_worst_class_comes_first(tmp_path: Path) -> None:
    probabilities = np.eye(3)[[0, 0, 1, 0, 2, 0, 0]] * 0.8 + 0.2 / 3
    page, card = written(
        results_of(predictions_of("abc", probabilities, [0, 0, 1, 1, 2, 2, 2])), tmp_path
    )
    table = page[page.index("Classes by error rate") :]
    assert re.findall(r"<tr><td>([abc])</td>", table)[:3] == ["c", "b", "a"]
    assert re.findall(r"^\| ([abc]) \|", card, re.MULTILINE) == ["c", "b", "a"]
    # Class c: of three images one is right, two are taken for a.
    row = re.findall(r"<tr><td>c</td>.*?</tr>", table)[0]
    assert unescape(row.replace("&nbsp;", " ")).count("66.7 %") == 1
    for value in ("1.000", "0.333", "0.500", "a (2)"):
        assert value in row


def test_shown_source_images_are_the_most_confident_correct_ones() -> None:
    labels = [3, 3, 5, 5, 0, 0]
    probabilities = np.full((6, 10), 0.01)
    for at, (predicted, share) in enumerate(
        [(3, 0.5), (3, 0.8), (3, 0.9), (5, 0.6), (0, 0.4), (0, 0.7)]
    ):
        probabilities[at, predicted] = share
    found = most_confident_pairs(predictions_of(CLASS_NAMES, probabilities, labels))
    # Dog and airplane, cat and dog: those of 2017 lead; a wrong image, however sure, is none.
    assert [(pair.first, pair.second) for pair in found] == [(3, 5), (1, 3), (5, 1)]
    assert found[0].classes == (5, 0)


def test_the_table_of_mixed_images(tmp_path: Path) -> None:
    results = results_of(predictions_of("abc", *spread(3)))
    page, _ = written(results, tmp_path)
    assert results.mixed
    for found in (results.mixed.blends, results.mixed.collages):
        shown = f"<td>{100 * found.both_in_top_two / found.number:.1f}&nbsp;%</td>"
        assert shown in page
    assert "33.3&nbsp;% of the images" in page  # one pair of three by chance


def test_a_model_without_a_best_temperature_is_not_scaled(tmp_path: Path) -> None:
    for temperature, remark in (
        (1.0, "No temperature maximises the likelihood"),
        (2.0, "The temperature 2.000 changes the error to"),
    ):
        results = results_of(predictions_of("abc", *spread(3), temperature))
        page, card = written(results, tmp_path)
        assert remark in page
        assert remark in card


def test_a_learning_curve_passes_over_epochs_without_validation() -> None:
    def lines_of_two_points(last: float) -> int:
        history = pd.DataFrame(
            {"epoch": [1, 2, 3], "loss": [2.0, 1.0, 0.9], "val_loss": [1.5, np.nan, last]}
        )
        drawn = figures.learning_curve(history, "loss", best_epoch=3)
        paths = re.findall(r'<path d="(M[^"]*)"', drawn)
        return sum(re.findall("[A-Z]", path) == ["M", "L"] for path in paths)

    assert lines_of_two_points(1.2) == lines_of_two_points(np.nan) + 1
