"""LiteRT (once TensorFlow Lite): one .tflite file for phones and small devices."""

import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from cifar_pipeline.export.formats.base import (
    CLASSES,
    PIXELS,
    PROBABILITIES,
    SIGNATURE,
    ExportFormat,
    Runner,
    TracedModel,
    is_installed,
)

if TYPE_CHECKING:
    import keras

_DATE = (1980, 1, 1, 0, 0, 0)  # the first date that a zip archive can hold


def _write(traced: TracedModel, path: Path) -> None:
    """Write a .tflite file; classes.txt is in a zip archive at its end, which runtimes skip.

    Source: TensorFlow Lite Metadata, "Pack metadata and associated files into the model".
    """
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_concrete_functions([traced.graph], traced.module)
    path.write_bytes(converter.convert())
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(zipfile.ZipInfo(CLASSES, _DATE), traced.class_lines)


def _load(path: Path, _: "keras.Model") -> Runner:
    """Load into LiteRT where it is installed, else into the one in TensorFlow (deprecated)."""
    if is_installed("ai_edge_litert"):
        from importlib.metadata import version

        from ai_edge_litert.interpreter import Interpreter

        runtime = f"LiteRT {version('ai-edge-litert')}"
    else:
        import tensorflow as tf

        Interpreter = tf.lite.Interpreter  # noqa: N806 - a class
        runtime = f"the LiteRT of TensorFlow {tf.__version__}"
    runner = Interpreter(str(path)).get_signature_runner(SIGNATURE)
    return Runner(runtime, lambda pixels: runner(**{PIXELS: pixels})[PROBABILITIES])


def _is_ours(path: Path) -> bool:
    if not path.is_file() or not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return archive.namelist() == [CLASSES]


LITERT = ExportFormat(
    name="litert",
    title="LiteRT",
    path="model.tflite",
    write=_write,
    load=_load,
    is_ours=_is_ours,
)
