"""What adopt recommends for a folder, and what options overrule."""

import copy
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cifar_pipeline.adopt.choices import CIFAR10, Options, advice, ask_left_and_right, recommend
from cifar_pipeline.adopt.mirror import SIDE
from cifar_pipeline.adopt.params_file import MISSING, value_of
from cifar_pipeline.adopt.survey import Sizes, Survey
from cifar_pipeline.download.contents import Contents
from cifar_pipeline.images.layout import TEST, TRAIN, VALIDATION, ImageFolder
from cifar_pipeline.params.download import TRACKED
from cifar_pipeline.preprocess.hold_out import hold_out
from params_files import SHIPPED


def found(**changes: Any) -> Survey:
    labels = (np.arange(60) % 2).astype(np.uint8)
    base = Survey(
        images=ImageFolder(Path("a"), "", ("cat", "dog"), {}),
        contents=Contents(),
        digest="",
        counts={TRAIN: np.array([30, 30])},
        sizes=Sizes((1, 1), (1, 1), (1, 1)),
        short_side=100,
        elongated=0.0,
        repeated=0,
        copies=0,
        unused=(),
        grey=0,
        constant=(),
        brightest=255,
        small=np.zeros((60, SIDE, SIDE, 3), np.uint8),
        labels=labels,
    )
    return replace(base, **changes)


def values(survey: Survey, options: Options = Options(), content: Any = SHIPPED) -> dict[str, Any]:  # noqa: B008
    return {choice.key: choice.value for choice in recommend(survey, options, content)[0]}


@pytest.mark.parametrize(("side", "size"), [(20, 32), (47, 32), (48, 64), (4000, 64)])
def test_the_size_is_of_the_pictures(side: int, size: int) -> None:
    assert values(found(short_side=side))["download.image_size"] == size


@pytest.mark.parametrize(
    ("side", "options", "model"),
    [
        (32, Options(), "fast"),
        (64, Options(), "fast64"),
        (32, Options(image_size=64), "fast64"),
        (64, Options(image_size=32), "fast"),
        (64, Options(model="best"), "best"),
    ],
)
def test_the_preset_is_of_the_size(side: int, options: Options, model: str) -> None:
    models = {"fast": {}, "fast64": {}}
    content = {**SHIPPED, "models": models}
    assert values(found(short_side=side), options, content)["train.model"] == model


def test_without_a_preset_for_large_images_it_is_fast() -> None:
    content = {**SHIPPED, "models": {"fast": {}}}
    assert values(found(), content=content)["train.model"] == "fast"


def test_what_the_folder_gives_is_not_held_out() -> None:
    assert values(found())["preprocess.validation_images"] == 0.1
    assert values(found())["preprocess.test_images"] == 0.2
    counts = {part: np.array([30, 30]) for part in (TRAIN, VALIDATION, TEST)}
    assert not [key for key in values(found(counts=counts)) if key.startswith("preprocess")]


def test_options_overrule() -> None:
    options = Options(64, "pad", "best", 7, 0.4, "none", "leave_out")
    chosen = values(found(short_side=20), options)
    assert chosen == {
        "download.image_size": 64,
        "download.fit": "pad",
        "download.broken_images": "leave_out",
        "preprocess.validation_images": 7,
        "preprocess.test_images": 0.4,
        "train.model": "best",
        "train.flip": "none",
    }
    assert chosen.keys() <= CIFAR10.keys()


def test_the_way_back_knows_every_key_at_its_value_in_the_shipped_file() -> None:
    assert {key: value_of(SHIPPED, key) for key in CIFAR10} == CIFAR10
    assert {f"download.{key}" for key in TRACKED} <= CIFAR10.keys()
    assert MISSING in CIFAR10.values()


def test_what_will_be_the_test_part_is_not_looked_at() -> None:
    """Of 100 images 20 will be split off; were they looked at, they would say that it matters."""
    random = np.random.default_rng(3)
    labels = (np.arange(400) % 2).astype(np.uint8)
    small = random.integers(0, 100, (400, SIDE, SIDE, 3)).astype(np.uint8)
    for image, label in zip(small, labels, strict=True):
        image[:, SIDE // 2 :] += 150 * label
        image[:, : SIDE // 2] += 150 * (1 - label)
    kept, held = hold_out(labels, ("cat", "dog"), 0.2, SHIPPED["preprocess"]["seed"], "test")
    alike = small.copy()
    alike[kept] = 0
    survey = found(small=small, labels=labels, counts={TRAIN: np.array([200, 200])})
    told = ask_left_and_right(survey, Options(), SHIPPED)
    assert told is not None
    assert told.matters
    assert told.images == 320 == len(kept)
    told = ask_left_and_right(replace(survey, small=alike), Options(), SHIPPED)
    assert told is not None
    assert not told.matters
    told = ask_left_and_right(
        replace(survey, counts={TRAIN: np.array([200, 200]), TEST: np.array([1, 1])}),
        Options(),
        SHIPPED,
    )
    assert told is not None
    assert told.images == 400 == len(kept) + len(held)


def advised(survey: Survey, content: Any = SHIPPED, **changes: Any) -> str:
    chosen = {**CIFAR10, **{f"{key.replace('__', '.')}": value for key, value in changes.items()}}
    return "\n".join(advice(survey, chosen, content))


def test_advice_is_for_what_is_there() -> None:
    many = found(counts={part: np.array([3000, 3000]) for part in (TRAIN, VALIDATION, TEST)})
    assert advised(many) == ""
    unequal = found(counts={TRAIN: np.array([60, 20])})
    assert "3.0 times" in advised(unequal)
    assert "models.best.class_weight=balanced" in advised(unequal, train__model="best")
    assert "repeated_images: leave_out" in advised(replace(many, repeated=2))
    assert advised(replace(many, copies=2)) == ""
    assert "repeated_images: leave_out" in advised(found(copies=2))  # parts are to be held out
    elongated = replace(many, elongated=0.25)
    assert "25% of the pictures" in advised(elongated)
    assert advised(elongated, download__fit="pad") == ""
    assert "brighter than 15 of 255" in advised(replace(many, brightest=15))
    views = {**SHIPPED, "evaluate": {"test_time_augmentation": "flip"}}
    assert advised(many, views) == ""
    assert "averages mirrored images" in advised(many, views, train__flip="none")


@pytest.mark.parametrize(
    ("model", "options"),
    [
        ("fast", "hardest_share=1.0 epochs=16 early_stopping.patience=9"),
        ("accurate", "epochs=16 early_stopping.patience=17"),
        ("quick", "hardest_share=1.0 epochs=16 early_stopping.patience=17"),
        ("fast64", ""),  # made for such sets
        ("baseline", ""),
    ],
)
def test_few_images_are_to_be_shown_more_often(model: str, options: str) -> None:
    said = advised(found(), train__model=model)
    written = re.findall(rf"-S models\.{model}\.([^ `]+)", said)
    assert written == options.split()
    assert ("60 training images are few" in said) == bool(options)
    # Where that is done, nothing more is said; and where there are many, nothing at all.
    content = copy.deepcopy(SHIPPED)
    for option in written:
        key, value = option.split("=")
        *parents, last = key.split(".")
        section = content["models"][model]
        for parent in parents:
            section = section[parent]
        section[last] = float(value) if "." in value else int(value)
    assert advised(found(), content, train__model=model) == ""
    assert advised(found(counts={TRAIN: np.array([2500, 2500])}), train__model=model) == ""


def test_where_the_probe_knows_nothing_it_says_so() -> None:
    random = np.random.default_rng(3)
    survey = found(small=random.integers(0, 255, (60, SIDE, SIDE, 3)).astype(np.uint8))
    chosen = {choice.key: choice for choice in recommend(survey, Options(), SHIPPED)[0]}
    assert chosen["train.flip"].value == "preset"
    assert "too little to say whether left and right matter" in chosen["train.flip"].reason
    few = replace(survey, labels=survey.labels[:20], counts={TRAIN: np.array([10, 10])})
    chosen = {choice.key: choice for choice in recommend(few, Options(), SHIPPED)[0]}
    assert chosen["train.flip"].value == "preset"
    assert "if so, `--flip none`" in chosen["train.flip"].reason
