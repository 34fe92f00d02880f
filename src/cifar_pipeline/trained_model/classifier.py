"""What a model must be: a classifier of images, one input and one probability a class."""

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from cifar_pipeline.common.errors import PipelineError
from cifar_pipeline.dataset.cifar10 import IMAGE_SHAPE

if TYPE_CHECKING:
    import keras

_SIDES = (IMAGE_SHAPE[0], 64, 128)
_EXPECTED = "expected one number a class, from a softmax"


def as_classifier(model: Any) -> "keras.Model":
    """Return `model` with one input and one output that stand in no list or mapping.

    Raises:
        PipelineError: it is no classifier of images. The message is a clause about "it".
    """
    import keras

    if not isinstance(model, keras.Model):
        raise PipelineError(f"it is no model but a {type(model).__name__}")
    if not getattr(model, "inputs", None) or not getattr(model, "outputs", None):
        raise PipelineError(
            "it was saved before its layers knew their input; call it with images, then save it"
        )
    _check_input(model)
    _check_output(model)
    # Keras tells by no public name whether they are a list or mapping of one.
    structures = (getattr(model, f"_{name}_struct", None) for name in ("inputs", "outputs"))
    if any(isinstance(structure, (list, tuple, dict)) for structure in structures):
        return keras.Model(model.inputs[0], model.outputs[0], name=model.name)
    return model


def _check_input(model: "keras.Model") -> None:
    if len(model.inputs) > 1:
        names = ", ".join(str(each.name) for each in model.inputs)
        raise PipelineError(
            f"it takes {len(model.inputs)} inputs ({names}); expected one, an image"
        )
    number, *shape = model.inputs[0].shape
    if len(shape) != 3:
        raise PipelineError(
            f"it takes inputs of shape {tuple(shape)}; expected images, (rows, columns, channels)"
        )
    if number is not None:
        raise PipelineError(
            f"it takes {number} images at a time and no other number; save it with an Input of "
            "any batch size"
        )
    if "int" not in model.inputs[0].dtype and "float" not in model.inputs[0].dtype:
        raise PipelineError(f"it takes inputs of type {model.inputs[0].dtype}; expected pixels")


def _check_output(model: "keras.Model") -> None:
    if len(model.outputs) > 1:
        names = ", ".join(map(str, model.output_names))
        raise PipelineError(f"it gives {len(model.outputs)} outputs ({names}); {_EXPECTED}")
    output = model.outputs[0]
    shape = tuple(output.shape[1:])
    if "float" not in output.dtype:
        raise PipelineError(f"it answers numbers of type {output.dtype}; {_EXPECTED}")
    if len(shape) > 1 or shape == (None,):
        raise PipelineError(
            f"it answers feature maps or a sequence, {shape} an image; {_EXPECTED}: pool them first"
        )
    if shape in ((), (1,)):
        raise PipelineError(
            "it answers one number an image, as a regression or a sigmoid of two classes does; "
            f"{_EXPECTED}: two or more"
        )
    ending = _last_activation(model)
    if ending not in (None, "softmax"):
        raise PipelineError(
            f"its last layer has the activation {ending}, whose numbers are no probabilities of "
            f"classes; {_EXPECTED}: put one behind it"
        )


def _last_activation(model: "keras.Model") -> str | None:
    """Return the name of the activation that makes the output; None where nothing tells."""
    import keras

    last = model.outputs[0]._keras_history.operation
    if isinstance(last, keras.Model) and getattr(last, "outputs", None):
        return _last_activation(last)
    activation = getattr(last, "activation", None)
    return getattr(activation, "__name__", None)


def require_colour_images(model: "keras.Model") -> None:
    """Refuse a classifier that takes other images than pictures become.

    Raises:
        PipelineError: they are no squares of RGB pixels, channels last.
    """
    rows, columns, channels = model.input_shape[1:]
    expected = "pictures become squares of RGB pixels, (side, side, 3)"
    kinds = {1: "grey images", 2: "images of two channels", 4: "images with transparency (RGBA)"}
    found = None
    if channels not in (None, IMAGE_SHAPE[2]):
        found = kinds.get(channels, f"images of {channels} channels")
        if rows in (1, IMAGE_SHAPE[2]) and channels > 4:
            found = "images with the channels first"
    elif None not in (rows, columns) and rows != columns:
        found = "images that are not square"
    if found:
        raise PipelineError(f"the model takes {found}, {(rows, columns, channels)}; {expected}")


def image_shape(model: "keras.Model", side: int) -> tuple[int, int, int]:
    """Return the shape of an image for `model`: `side` and three channels where it takes any."""
    shape = model.input_shape[1:]
    rows, columns, channels = (
        given or default for given, default in zip(shape, (side, side, IMAGE_SHAPE[2]), strict=True)
    )
    return rows, columns, channels


def smallest_side(model: "keras.Model") -> int:
    """Return a side for images of a model that takes any: the least of `_SIDES` that it takes."""
    for side in _SIDES:
        with suppress(Exception):  # as each layer has it whose maps become too small
            model.compute_output_shape((1, *image_shape(model, side)))
            return side
    return _SIDES[0]
