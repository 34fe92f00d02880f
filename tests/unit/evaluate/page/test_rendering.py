"""What the page and the model card show, of results worked by hand."""

import re
from collections.abc import Sequence
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from evaluation_results import HOSTILE, predictions_of, results_of, spread, written


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


@pytest.mark.usefixtures("blank_figures")
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


@pytest.mark.usefixtures("blank_figures")
def test_equal_classes_without_weights_need_no_sentence(tmp_path: Path) -> None:
    texts = written(results_of(predictions_of("abc", *spread(3, 4))), tmp_path)
    assert re.findall(r'class="card"><small>(.*?)</small>', texts[0])[0] == "accuracy"
    assert "<title>Test accuracy 75.00 %</title>" in texts[0]
    for said in ("unequal", "largest one", "figures cannot be compared", "classes have weights"):
        assert said not in "".join(texts)


@pytest.mark.usefixtures("blank_figures")
def test_unequal_classes_put_their_metrics_in_front(tmp_path: Path) -> None:
    probabilities, labels = spread(3, 4)
    results = results_of(
        predictions_of("abc", probabilities[1:], labels[1:]),
        class_weight="balanced",
        validation_labels=[0] * 130 + [1] * 10 + [2] * 10,
    )
    page, card = written(results, tmp_path)
    cards = re.findall(r'class="card"><small>(.*?)</small>', page)
    assert cards[:3] == ["balanced accuracy", "macro F1", "accuracy"]
    assert "<title>Balanced test accuracy 72.22 %, accuracy 72.73 %</title>" in page
    assert "In the training loss the classes have weights" in page
    for text in (page, card):
        assert "always predicting the largest one, b, would have an accuracy of 36.36 %" in text
        assert "a is 86.7 % of the validation images and 27.3 % of the test images" in text


@pytest.mark.usefixtures("blank_figures")
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


@pytest.mark.usefixtures("blank_figures")
def test_the_table_of_mixed_images(tmp_path: Path) -> None:
    results = results_of(predictions_of("abc", *spread(3)))
    page, _ = written(results, tmp_path)
    assert results.mixed
    for found in (results.mixed.blends, results.mixed.collages):
        shown = f"<td>{100 * found.both_in_top_two / found.number:.1f}&nbsp;%</td>"
        assert shown in page
    assert "33.3&nbsp;% of the images" in page  # one pair of three by chance


@pytest.mark.usefixtures("blank_figures")
def test_a_model_without_a_best_temperature_is_not_scaled(tmp_path: Path) -> None:
    for temperature, remark in (
        (1.0, "No temperature maximises the likelihood"),
        (2.0, "The temperature 2.000 changes the error to"),
    ):
        results = results_of(predictions_of("abc", *spread(3), temperature))
        page, card = written(results, tmp_path)
        assert remark in page
        assert remark in card
