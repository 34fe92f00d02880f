"""Each augmentation against its definition, and both of its forms against each other."""

import numpy as np
import pytest

from cifar_pipeline.params.augmentation import Augmentation
from cifar_pipeline.train.augmentation import Augmenter, augmented, augmented_on_device
from schemas import all_on, each_on
from synthetic import synthetic_split

IMAGES, _ = synthetic_split(40, 0)
EACH, ALL = each_on(Augmentation), all_on(Augmentation)


def what_is_on(params: Augmentation) -> str:
    on = params.model_dump(exclude_defaults=True)
    return ", ".join(f"{name}={value}" for name, value in on.items())


@pytest.mark.parametrize("params", EACH, ids=what_is_on)
def test_each_augmentation_of_the_schema_changes_images(params: Augmentation) -> None:
    """One that has a key, and that train/augmentation.py forgets, would be silent."""
    batch = Augmenter(IMAGES, params, seed=1).batch(np.arange(40))
    assert batch.dtype == np.uint8
    assert batch.shape == IMAGES.shape
    changed = (batch != IMAGES).any(axis=(1, 2, 3)).mean()
    assert changed > 0.25, (
        f"{what_is_on(params)} changes {changed:.0%} of the images: see train/augmentation.py"
    )


def test_what_is_off_changes_nothing() -> None:
    assert np.array_equal(Augmenter(IMAGES, Augmentation(), 1).batch(np.arange(40)), IMAGES)


@pytest.mark.parametrize("params", [*EACH, ALL], ids=what_is_on)
def test_both_forms_agree_to_the_pixel(params: Augmentation) -> None:
    """Here on NumPy's arrays; tests/jax/on_jax.py has it on JAX's."""
    augmenter = Augmenter(IMAGES, params, seed=1)
    changes = augmenter.changes(np.array([7, 0, 39, 7, 12]))
    by_numpy = augmented(IMAGES, augmenter.fill, changes)
    plain = augmented_on_device(IMAGES, augmenter.fill, changes, arrays=np)
    assert plain.dtype == by_numpy.dtype
    assert np.array_equal(plain, by_numpy)


@pytest.mark.parametrize("params", [*EACH, ALL], ids=what_is_on)
def test_changes_differ_by_epoch_and_seed(params: Augmentation) -> None:
    def batch(seed: int, epoch: int) -> np.ndarray:
        augmenter = Augmenter(IMAGES, params, seed)
        augmenter.start_epoch(epoch, np.full(40, epoch, np.int32))
        return augmenter.batch(np.arange(40))

    first = batch(1, 0)
    assert np.array_equal(batch(1, 0), first)
    assert not np.array_equal(batch(1, 1), first)
    assert not np.array_equal(batch(2, 0), first)


def test_alternating_flips_show_each_image_both_ways() -> None:
    images, _ = synthetic_split(50, 0)
    augmenter = Augmenter(images, Augmentation(flip="alternating", translate=0, cutout=0), seed=1)
    everything = np.arange(50)
    first = augmenter.batch(everything)
    mirrored = [not np.array_equal(a, b) for a, b in zip(first, images, strict=True)]
    assert 10 < sum(mirrored) < 40
    # The second epoch left every other image out.
    for epoch, times in ((1, np.ones(50, int)), (2, np.where(everything % 2, 1, 2))):
        augmenter.start_epoch(epoch, times)
        turned = times % 2 == 1
        expected = np.where(turned[:, None, None, None], first[:, :, ::-1], first)
        assert np.array_equal(augmenter.batch(everything), expected)


def test_translations_are_crops_of_the_reflected_image() -> None:
    images, _ = synthetic_split(30, 0)
    augmenter = Augmenter(images, Augmentation(flip="none", translate=2, cutout=0), seed=1)
    padded = np.pad(images, ((0, 0), (2, 2), (2, 2), (0, 0)), "reflect")
    for image, crop in zip(padded, augmenter.batch(np.arange(30)), strict=True):
        crops = [image[y : y + 32, x : x + 32] for y in range(5) for x in range(5)]
        assert any(np.array_equal(crop, candidate) for candidate in crops)


def test_cutout_paints_a_square_in_the_mean_colour() -> None:
    images, _ = synthetic_split(30, 0)
    augmenter = Augmenter(images, Augmentation(flip="none", translate=0, cutout=8), seed=1)
    colour = np.round(images.mean(axis=(0, 1, 2)))
    corners = set()
    for image, cut in zip(images, augmenter.batch(np.arange(30)), strict=True):
        painted = (cut == colour).all(axis=-1)
        rows, columns = (np.flatnonzero(painted.sum(axis=axis) == 8) for axis in (1, 0))
        assert painted[rows[0] : rows[0] + 8, columns[0] : columns[0] + 8].all()
        assert painted.sum() == (cut != image).any(axis=-1).sum() == 64
        corners.add((rows[0], columns[0]))
    assert len(corners) > 20
    whole = Augmenter(images, Augmentation(flip="none", translate=0, cutout=32), seed=1)
    assert (whole.batch(np.array([7])) == colour).all()


def test_an_epoch_s_changes_depend_on_seed_and_epoch_alone() -> None:
    images, _ = synthetic_split(30, 0)
    params = Augmentation(flip="random", translate=2, cutout=4)
    walked, jumped = Augmenter(images, params, 1), Augmenter(images, params, 1)
    times = np.zeros(30, int)
    for epoch in range(4):
        walked.start_epoch(epoch, times)
    jumped.start_epoch(3, times)
    some = np.array([3, 4, 29])
    assert np.array_equal(walked.batch(some), jumped.batch(some))
