"""A stratified, seeded hold-out."""

import numpy as np

from cifar_pipeline.classes import CLASS_NAMES
from cifar_pipeline.errors import ParamsError


def hold_out(labels: np.ndarray, size: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Split indices into a training and a validation part, the same number held out of each class.

    Args:
        labels: uint8 (N,).
        size: images to hold out in all, a multiple of the number of classes.
        seed: which ones; the generator is NumPy's PCG64, the same on every machine.

    Returns:
        Two ascending arrays of indices, int64: training (N - size,) and validation (size,).

    Raises:
        ParamsError: `size` is no multiple of the number of classes, or a class has too few images.
    """
    classes = len(CLASS_NAMES)
    per_class, rest = divmod(size, classes)
    if rest:
        raise ParamsError(
            f"preprocess.validation_images must be a multiple of {classes}, got {size}"
        )
    smallest = int(np.bincount(labels, minlength=classes).min())
    if per_class >= smallest:
        raise ParamsError(
            f"preprocess.validation_images = {size} takes {per_class} of each class, "
            f"and the smallest class has {smallest}; expected at most {(smallest - 1) * classes}"
        )
    generator = np.random.Generator(np.random.PCG64(seed))
    held = [
        generator.permutation(np.flatnonzero(labels == label))[:per_class]
        for label in range(classes)
    ]
    validation = np.sort(np.concatenate(held))
    return np.setdiff1d(np.arange(len(labels)), validation), validation
