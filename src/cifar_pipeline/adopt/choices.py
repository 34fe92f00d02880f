"""What adopt writes into params.yaml for a folder of pictures, and why."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from cifar_pipeline.adopt.mirror import MirrorTest, mirror_test
from cifar_pipeline.adopt.params_file import MISSING, PICTURES
from cifar_pipeline.adopt.survey import ELONGATED, Survey
from cifar_pipeline.dataset.decoding import Fit
from cifar_pipeline.images.layout import TEST, TRAIN, VALIDATION
from cifar_pipeline.params.presets import validate_model
from cifar_pipeline.preprocess.hold_out import hold_out

# What every key that adopt writes has where the data are CIFAR-10.
CIFAR10: Final[Mapping[str, Any]] = {
    "download.source": None,
    PICTURES: MISSING,
    "download.image_size": 32,
    "download.fit": "crop",
    "download.broken_images": "stop",
    "preprocess.validation_images": 5000,
    "preprocess.test_images": 0.2,
    "train.model": "fast",
    "train.flip": "preset",
}
HELD_OUT: Final = {TEST: 0.2, VALIDATION: 0.1}
_FEW_LARGE = 48  # pixels of a short side: below, 64 would show little more than 32
LARGE = 64
_LARGE_PRESET, _PRESET = "fast64", "fast"
_UNEQUAL = 2.0  # times the smallest class is the largest one
_MANY_ELONGATED = 0.1
_DARK = 64  # of 255 levels are so few that steps between them hide what there is to see
# Fewer training images than this profit from all of them in more epochs: docs/log.md has figures
# of 300 and of 2,290.
_FEW = 5_000
_EPOCHS_OF_FEW = 16


@dataclass(frozen=True)
class Options:
    """What the user has said; None: nothing."""

    image_size: int | None = None
    fit: Fit | None = None
    model: str | None = None
    validation_images: int | float | None = None
    test_images: int | float | None = None
    flip: str | None = None
    broken_images: str | None = None


class Choice(NamedTuple):
    """A value for a key of params.yaml, and the reason in a few words."""

    key: str
    value: Any
    reason: str


_BY_OPTION: Final = "as you say"


def chosen_by_options(options: Options) -> list[Choice]:
    """Return what the user has said, as choices."""
    given = {
        "download.image_size": options.image_size,
        "download.fit": options.fit,
        "download.broken_images": options.broken_images,
        "preprocess.validation_images": options.validation_images,
        "preprocess.test_images": options.test_images,
        "train.model": options.model,
        "train.flip": {"none": "none", "keep": "preset"}.get(options.flip or ""),
    }
    return [Choice(key, value, _BY_OPTION) for key, value in given.items() if value is not None]


def recommend(
    found: Survey, options: Options, content: Mapping[str, Any]
) -> tuple[list[Choice], MirrorTest | None]:
    """Return choices for a folder that is adopted for the first time, options before all else.

    Only training images take part: those that preprocess will split off for testing do not.

    Args:
        found: the folder.
        options: of the user.
        content: of params.yaml.

    Returns:
        The choices, and the test of left and right; None where nothing was tested.

    Raises:
        ParamsError: a class is too small for the splits, or a number of the user's is impossible.
    """
    said = {choice.key: choice for choice in chosen_by_options(options)}
    size = _image_size(found)
    side = options.image_size or size.value
    model = _model(side, content)
    mirrored = None if options.flip else ask_left_and_right(found, options, content)
    choices = [size, model, *held_out(found), _flip(found, mirrored)]
    recommended = {choice.key: choice for choice in choices}
    return list({**recommended, **said}.values()), mirrored


def ask_left_and_right(
    found: Survey, options: Options, content: Mapping[str, Any]
) -> MirrorTest | None:
    """Ask the training images whether left and right matter; None: too few to say.

    Raises:
        ParamsError: as `hold_out`, of the part for testing.
    """
    kept = np.arange(len(found.labels))
    if TEST not in found.counts:
        size = HELD_OUT[TEST] if options.test_images is None else options.test_images
        seed = content["preprocess"]["seed"]
        kept, _ = hold_out(
            found.labels, found.images.names, size, seed, TEST, VALIDATION in found.counts
        )
    return mirror_test(found.small[kept], found.labels[kept])


def _image_size(found: Survey) -> Choice:
    size = 32 if found.short_side < _FEW_LARGE else LARGE
    more = "; 128 shows more, in four times the time" if found.short_side >= 2 * LARGE else ""
    return Choice(
        "download.image_size",
        size,
        f"the median of the shorter sides is {found.short_side:,} pixels{more}",
    )


def _model(side: int, content: Mapping[str, Any]) -> Choice:
    if side >= LARGE and _LARGE_PRESET in content["models"]:
        return Choice("train.model", _LARGE_PRESET, f"`{_PRESET}` for images of {LARGE} pixels")
    return Choice("train.model", _PRESET, "the quickest of the good presets")


def held_out(found: Survey) -> list[Choice]:
    """Return the shares of the parts that the folder does not give, as choices."""
    smallest = int(found.counts[TRAIN].min())
    return [
        Choice(
            f"preprocess.{part}_images",
            share,
            f"the folder has no {part} part; of the smallest class, {smallest:,} images, about "
            f"{max(1, round(share * smallest)):,}",
        )
        for part, share in HELD_OUT.items()
        if part not in found.counts
    ]


def _flip(found: Survey, mirrored: MirrorTest | None) -> Choice:
    if mirrored is None:
        return Choice(
            "train.flip",
            "preset",
            "too few images to find out whether left and right matter: if so, `--flip none`",
        )
    told = (
        f"a quick probe is right of {mirrored.accuracy:.0%} of unseen images, and of "
        f"{mirrored.with_copies:.0%} once it has learnt from mirrored copies too"
    )
    if not mirrored.matters and not _tells_apart(found, mirrored):
        return Choice(
            "train.flip", "preset", f"{told}: too little to say whether left and right matter"
        )
    if not mirrored.matters:
        return Choice("train.flip", "preset", f"mirrored images keep their class: {told}")
    worst = [found.images.names[label] for label in mirrored.classes[:3]]
    which = f" (most of all {', '.join(worst)})" if worst else ""
    return Choice("train.flip", "none", f"left and right matter{which}: {told}")


def _tells_apart(found: Survey, mirrored: MirrorTest) -> bool:
    """Say whether the probe is right more often than the largest class alone would be."""
    largest = float(found.counts[TRAIN].max() / found.counts[TRAIN].sum())
    error = (largest * (1 - largest) / mirrored.images) ** 0.5
    return mirrored.accuracy > largest + 2 * error


def advice(found: Survey, choices: Mapping[str, Any], content: Mapping[str, Any]) -> list[str]:
    """Return what adopt does not decide, a sentence each.

    Args:
        found: the folder.
        choices: the values of params.yaml after the adoption, by key.
        content: of params.yaml.
    """
    sizes = found.counts[TRAIN]
    said = []
    if sizes.max() >= _UNEQUAL * sizes.min():
        said.append(
            f"The largest class has {sizes.max() / max(1, sizes.min()):.1f} times the images of "
            f"the smallest: try `dvc exp run -S models.{choices['train.model']}.class_weight="
            "balanced` too, where rare classes count as much."
        )
    if few := _more_epochs(int(sizes.sum()), str(choices["train.model"]), content):
        said.append(few)
    splits = not {VALIDATION, TEST} <= found.counts.keys()
    if found.repeated or (found.copies and splits):
        said.append(
            "Pictures that are in two parts make a test easier than it should be: "
            "`preprocess.repeated_images: leave_out` takes them out of training."
        )
    if choices["download.fit"] == "crop" and found.elongated >= _MANY_ELONGATED:
        said.append(
            f"{found.elongated:.0%} of the pictures are {ELONGATED} times as long as wide or more, "
            "and `fit: crop` shows the square in the middle: where their ends matter, "
            "`--fit pad`."
        )
    if found.brightest < _DARK:
        said.append(
            f"No pixel is brighter than {found.brightest} of 255, so that few shades are left: "
            "save the pictures with their full range (16 bits count as 0 to 65,535, whatever they "
            "use)."
        )
    views = content["evaluate"].get("test_time_augmentation", "none")
    if choices["train.flip"] == "none" and views != "none":
        said.append(
            f"`evaluate.test_time_augmentation: {views}` averages mirrored images: set it to none."
        )
    return said


def _more_epochs(images: int, model: str, content: Mapping[str, Any]) -> str:
    """Return the advice to show few images more often; "" where there are many, or it is done.

    The run may then not be stopped at the first validation without progress, either: that is no
    measure of so few steps.
    """
    preset = validate_model(content["models"][model], model, Path())
    epochs = max(preset.epochs, _EPOCHS_OF_FEW)
    wanted = {
        "hardest_share": (preset.hardest_share, 1.0),
        "epochs": (preset.epochs, epochs),
        # So many validations are never made: the run is not stopped.
        "early_stopping.patience": (
            preset.early_stopping.patience,
            epochs // preset.validation_freq + 1,
        ),
    }
    times = epochs / (preset.epochs * preset.hardest_share)
    if images >= _FEW or times <= 1:
        return ""
    options = " ".join(
        f"-S models.{model}.{key}={target}"
        for key, (value, target) in wanted.items()
        if value < target
    )
    return (
        f"{images:,} training images are few: nothing helps them more than all of them in each "
        f"epoch, and more epochs. `dvc exp run {options}` shows {times:.1f} times as many; that "
        "brought `fast` from 0.71 to 0.80 with 300 photos, from 0.64 to 0.68 with 2,290 emoji "
        "(balanced accuracy)."
    )
