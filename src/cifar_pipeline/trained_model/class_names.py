"""The class names of any model, also where its archive does not hold them."""

from pathlib import Path
from typing import TYPE_CHECKING

from cifar_pipeline.common.console import complain
from cifar_pipeline.dataset.cifar10 import CLASS_NAMES
from cifar_pipeline.trained_model.keras_file import check_classes, class_names_of

if TYPE_CHECKING:
    import keras


def names_for(path: Path, model: "keras.Model") -> tuple[str, ...]:
    """Return the names of the classes of `model`, in the order of its outputs.

    Where its archive holds none, one line on standard error says which names are used instead.

    Args:
        path: the archive.
        model: as loaded from it.

    Raises:
        PipelineError: the archive cannot be read, or names another number of classes.
    """
    names = class_names_of(path)
    if names is None:
        number = model.output_shape[-1]
        names, called = tuple(f"class {at}" for at in range(number)), "by their numbers"
        if number == len(CLASS_NAMES):
            names, called = CLASS_NAMES, "as those of CIFAR-10"
        complain(f"warning: {path} does not name its classes; they are called {called}")
    check_classes(model, names)
    return names
