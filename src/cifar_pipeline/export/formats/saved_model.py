"""SavedModel, TensorFlow's own format: a folder with a graph and its variables."""

import shutil
import tempfile
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
)

if TYPE_CHECKING:
    import keras
    import numpy as np


def _write(traced: TracedModel, path: Path) -> None:
    """Write a SavedModel; the names of the classes are its asset `class_names`."""
    import tensorflow as tf

    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        names = Path(folder) / CLASSES
        names.write_text(traced.class_lines, encoding="utf-8")
        traced.module.class_names = tf.saved_model.Asset(str(names))
        tf.saved_model.save(traced.module, str(path), signatures={SIGNATURE: traced.graph})
    # TensorFlow does not mind if it could not remove its own temporary files.
    left = path / "variables" / "variables_temp"
    if left.exists():
        shutil.rmtree(left)


def _load(path: Path, _: "keras.Model") -> Runner:
    import tensorflow as tf

    loaded = tf.saved_model.load(str(path))

    def run(pixels: "np.ndarray") -> "np.ndarray":
        # Looked up at each call: a signature alone does not keep its variables alive.
        serve = loaded.signatures[SIGNATURE]
        return serve(**{PIXELS: tf.constant(pixels)})[PROBABILITIES].numpy()

    return Runner(f"TensorFlow {tf.__version__}", run)


def _is_ours(path: Path) -> bool:
    parts = {"assets", "fingerprint.pb", "saved_model.pb", "variables"}
    if not path.is_dir() or not {entry.name for entry in path.iterdir()} <= parts:
        return False
    return (path / "assets" / CLASSES).is_file() and (path / "saved_model.pb").is_file()


SAVED_MODEL = ExportFormat(
    name="saved_model",
    title="SavedModel",
    path="saved_model",
    write=_write,
    load=_load,
    is_ours=_is_ours,
)
