"""What an export format is made of: the model to export, its graph, and the format's functions.

A format with a graph takes float32 `pixels` from 0 to 255, (N, rows, columns, channels) for any N,
and returns float32 `probabilities` (N, classes); normalisation is inside.

This module and the formats are imported for `--help`: they import TensorFlow, NumPy and the
libraries of the formats inside functions.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import keras
    import numpy as np

PIXELS, PROBABILITIES = "pixels", "probabilities"
CLASSES = "classes.txt"  # a file with one class name a line, in the order of the probabilities
SIGNATURE = "serving_default"  # the name that TensorFlow Serving and TFLiteConverter expect


@dataclass(frozen=True)
class TracedModel:
    """A Keras model, and its graph in TensorFlow.

    Attributes:
        keras_model: the model itself.
        module: holds the variables, and the graph as its function `serve`.
        graph: the traced function `serve`, for any number of images.
        class_names: in the order of the probabilities.
    """

    keras_model: "keras.Model"
    module: Any
    graph: Any
    class_names: tuple[str, ...]

    @property
    def class_lines(self) -> str:
        """The class names, one a line."""
        return "".join(f"{name}\n" for name in self.class_names)


class Runner(NamedTuple):
    """A loaded export. `run` maps float32 pixels (N, ...) to float32 probabilities (N, classes)."""

    runtime: str
    run: "Callable[[np.ndarray], np.ndarray]"


@dataclass(frozen=True, kw_only=True)
class ExportFormat:
    """The functions and the names of a format.

    Attributes:
        name: the argument of `export` that chooses the format.
        title: the name in messages.
        path: the file, or the folder, in the folder of exports.
        needs: modules that `write` imports beside TensorFlow; the extra `export` installs them.
        write: writes a traced model to a path where nothing lies.
        load: loads an export into a runtime. The second argument is the Keras model that was
            exported: a format without a graph loads its weights into a copy of that network.
        is_ours: says whether a path holds an export of this format and nothing else, without
            importing `needs`.
    """

    name: str
    title: str
    path: str
    needs: tuple[str, ...] = ()
    write: Callable[[TracedModel, Path], None]
    load: "Callable[[Path, keras.Model], Runner]"
    is_ours: Callable[[Path], bool]

    def missing(self) -> list[str]:
        """Return those of `needs` that are not installed."""
        return [module for module in self.needs if not is_installed(module)]


def is_installed(module: str) -> bool:
    """Say whether a module of this name can be imported, without importing it."""
    return find_spec(module) is not None


def megabytes(path: Path) -> float:
    """Return the size of an export, a file or a folder, in millions of bytes."""
    return sum(file.stat().st_size for file in [path, *path.rglob("*")] if file.is_file()) / 1e6


def trace(model: "keras.Model", class_names: tuple[str, ...]) -> TracedModel:
    """Return `model`, which must be on Keras' TensorFlow backend, with its graph for inference."""
    import tensorflow as tf

    pixels = tf.TensorSpec((None, *model.input_shape[1:]), tf.float32, name=PIXELS)
    module = tf.Module()
    module.weights = [variable.value for variable in model.variables]
    module.serve = tf.function(
        lambda pixels: {PROBABILITIES: tf.cast(model(pixels, training=False), tf.float32)},
        input_signature=[pixels],
        autograph=False,
    )
    return TracedModel(model, module, module.serve.get_concrete_function(), class_names)
