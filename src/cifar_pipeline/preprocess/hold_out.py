"""A stratified, seeded hold-out."""

import numpy as np

from cifar_pipeline.common.errors import ParamsError


def images_of_each(size: int, classes: int, smallest: int) -> int:
    """Return how many images of each class a hold-out of `size` takes.

    Args:
        size: images to hold out in all.
        classes: number of classes.
        smallest: images of the smallest class.

    Raises:
        ParamsError: `size` is no multiple of `classes`, or would leave a class without images.
    """
    per_class, rest = divmod(size, classes)
    if rest:
        raise ParamsError(
            f"preprocess.validation_images must be a multiple of {classes}, got {size}"
        )
    if per_class >= smallest:
        raise ParamsError(
            f"preprocess.validation_images = {size} takes {per_class} of each class, "
            f"and the smallest class has {smallest}; expected at most {(smallest - 1) * classes}"
        )
    return per_class


def hold_out(
    labels: np.ndarray, classes: int, size: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Split indices into a training and a validation part, the same number held out of each class.

    Args:
        labels: uint8 (N,), from 0 to `classes` - 1.
        classes: their number.
        size: images to hold out in all, a multiple of the number of classes.
        seed: which ones; the generator is NumPy's PCG64, the same on every machine.

    Returns:
        Two ascending arrays of indices, int64: training (N - size,) and validation (size,).

    Raises:
        ParamsError: as `images_of_each`.
    """
    per_class = images_of_each(size, classes, int(np.bincount(labels, minlength=classes).min()))
    generator = np.random.Generator(np.random.PCG64(seed))
    held = [
        generator.permutation(np.flatnonzero(labels == label))[:per_class]
        for label in range(classes)
    ]
    validation = np.sort(np.concatenate(held))
    return np.setdiff1d(np.arange(len(labels)), validation), validation
