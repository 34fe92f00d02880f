"""A stratified, seeded hold-out: the classes keep their shares, whatever their sizes."""

from collections.abc import Mapping
from typing import Final

import numpy as np

from cifar_pipeline.common.console import counted
from cifar_pipeline.common.errors import ParamsError
from cifar_pipeline.params.preprocess import PreprocessParams

_TEST_STREAM: Final = (1,)


def held_of_each(
    sizes: np.ndarray,
    names: tuple[str, ...],
    size: int | float,
    part: str = "validation",
    validation_given: bool = False,
) -> np.ndarray:
    """Return how many images of each class a hold-out takes.

    The counts are in proportion to the sizes of the classes by the method of the largest remainder
    (Hamilton's), within bounds: at least 1 image of each class is held out, and at least 1 is left,
    or 2 where a validation part is still to be split off. Of equal remainders the first class
    comes first.

    Args:
        sizes: images of each class, int64 (classes,).
        names: of the classes, in label order.
        size: as in `hold_out`.
        part: "validation" or "test".
        validation_given: as in `hold_out`.

    Returns:
        int64 (classes,), whose sum is `size`; of a share, that many images, rounded to a whole
        number, but at least one and at most all but those that are left.

    Raises:
        ParamsError: a class is too small, or `size` is too small or too great a number.
    """
    param, validates = f"preprocess.{part}_images", part == "test" and not validation_given
    left = 2 if validates else 1
    number, classes = int(sizes.sum()), len(names)
    smallest = int(sizes.argmin())
    if sizes[smallest] <= left:
        purposes = ", ".join(
            ["1 for testing"] * (part == "test")
            + ["1 for validation"] * (validates or part == "validation")
        )
        has = counted(int(sizes[smallest]), "image")
        raise ParamsError(
            f"{param}: class {names[smallest]!r} has {has}; expected at least {left + 1} "
            f"({purposes}, 1 for training): add images of it, or remove the class"
        )
    least, most = classes, number - left * classes
    if isinstance(size, float):
        size = min(max(round(size * number), least), most)
    elif not least <= size <= most:
        raise ParamsError(
            f"{param} = {size} is impossible with {number:,} images of {classes} classes, the "
            f"smallest {names[smallest]!r} with {sizes[smallest]:,}; expected {least} to {most}, "
            "or a share such as 0.1"
        )
    held = np.clip(size * sizes // number, 1, sizes - left)
    while held.sum() != size:
        lacking = size * sizes - held * number  # exact, in units of 1 / number
        if held.sum() < size:
            held[np.where(held < sizes - left, lacking, -(number**2)).argmax()] += 1
        else:  # the classes of less than an image have got one
            held[np.where(held > 1, lacking, number**2).argmin()] -= 1
    return held


def hold_out(
    labels: np.ndarray,
    names: tuple[str, ...],
    size: int | float,
    seed: int,
    part: str = "validation",
    validation_given: bool = False,
) -> tuple[np.ndarray, np.ndarray]:
    """Split indices into a rest and a held-out part, in which the classes have the same shares.

    Args:
        labels: uint8 (N,), from 0 to the number of names - 1.
        names: of the classes, in label order.
        size: to hold out: an int, the number of images in all; or a float between 0 and 1, their
            share of the N images.
        seed: which ones; the generator is NumPy's PCG64, the same on every machine.
        part: the name of what is held out, "validation" or "test". Each has a random stream of its
            own, so that one seed serves both.
        validation_given: whether the source has a validation part of its own, so that none will be
            split off what a test part leaves.

    Returns:
        Two ascending arrays of indices, int64: the rest and the held-out part.

    Raises:
        ParamsError: as `held_of_each`.
    """
    sizes = np.bincount(labels, minlength=len(names))
    held_out = held_of_each(sizes, names, size, part, validation_given)
    stream = np.random.SeedSequence(seed, spawn_key=_TEST_STREAM if part == "test" else ())
    generator = np.random.Generator(np.random.PCG64(stream))
    held = [
        generator.permutation(np.flatnonzero(labels == label))[:number]
        for label, number in enumerate(held_out)
    ]
    indices = np.sort(np.concatenate(held))
    return np.setdiff1d(np.arange(len(labels)), indices), indices


def require_splits(
    sizes: Mapping[str, np.ndarray], names: tuple[str, ...], params: PreprocessParams
) -> None:
    """Find out before any image is read whether the splits can be made.

    Args:
        sizes: of each part that is given, the images of each class, int64 (classes,).
        names: of the classes, in label order.
        params: the sizes of what is held out.

    Raises:
        ParamsError: as `held_of_each`.
    """
    rest = sizes["train"]
    for part, size in (("test", params.test_images), ("validation", params.validation_images)):
        if part not in sizes:
            rest = rest - held_of_each(rest, names, size, part, "validation" in sizes)
