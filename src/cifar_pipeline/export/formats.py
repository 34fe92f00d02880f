"""The formats that `export` writes: how each one is made, and how a runtime of its own runs it.

Every exported model is the Keras model's graph with its weights: it takes float32 `pixels` from 0
to 255, (N, rows, columns, channels) for any N, and returns float32 `probabilities` (N, classes).
"""

import json
import re
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import keras

PIXELS, PROBABILITIES = "pixels", "probabilities"
CLASSES = "classes.txt"  # one name a line, in the order of the probabilities
_SIGNATURE = "serving_default"  # what TensorFlow Serving and TFLiteConverter look for
_ONNX_CLASSES = "class_names"  # a property of its metadata
_OPSET = 18  # the latest that tf2onnx 1.17 writes
_DATE = (1980, 1, 1, 0, 0, 0)  # the first date that a zip archive can hold


@dataclass(frozen=True)
class TracedModel:
    """A Keras model as a graph of TensorFlow.

    Attributes:
        module: holds the variables and the graph as its function `serve`.
        graph: that function as traced, for any number of images.
        class_names: in the order of the probabilities.
    """

    module: Any
    graph: Any
    class_names: tuple[str, ...]


class Runner(NamedTuple):
    """A loaded export. `run` maps float32 pixels (N, ...) to float32 probabilities (N, classes)."""

    runtime: str
    run: Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class ExportFormat:
    """What `export` knows of a format.

    Attributes:
        title: its name in messages.
        path: its name in the folder of exports, a file or a folder.
        needs: packages that `write` imports beside TensorFlow, the extra `export`.
        write: makes the file, or the folder, of a traced model under a path that is free.
        load: loads such a file into a runtime.
        is_ours: says whether what lies under a path is such an export, and nothing else with it.
    """

    title: str
    path: str
    needs: tuple[str, ...]
    write: Callable[[TracedModel, Path], None]
    load: Callable[[Path], Runner]
    is_ours: Callable[[Path], bool]

    def missing(self) -> list[str]:
        """Return those of `needs` that are not installed."""
        return [package for package in self.needs if find_spec(package) is None]


def megabytes(path: Path) -> float:
    """Return the size of an export, a file or a folder, in millions of bytes."""
    return sum(file.stat().st_size for file in [path, *path.rglob("*")] if file.is_file()) / 1e6


def trace(model: "keras.Model", class_names: tuple[str, ...]) -> TracedModel:
    """Return `model`, which must be on Keras' TensorFlow backend, as a graph for inference."""
    import tensorflow as tf

    pixels = tf.TensorSpec((None, *model.input_shape[1:]), tf.float32, name=PIXELS)
    module = tf.Module()
    module.weights = [variable.value for variable in model.variables]
    module.serve = tf.function(
        lambda pixels: {PROBABILITIES: model(pixels, training=False)},
        input_signature=[pixels],
        autograph=False,
    )
    return TracedModel(module, module.serve.get_concrete_function(), class_names)


def _class_lines(traced: TracedModel) -> str:
    return "".join(f"{name}\n" for name in traced.class_names)


def _write_saved_model(traced: TracedModel, path: Path) -> None:
    """Write a SavedModel; the names of the classes are its asset `class_names`."""
    import tensorflow as tf

    with tempfile.TemporaryDirectory() as folder:
        names = Path(folder) / CLASSES
        names.write_text(_class_lines(traced))
        traced.module.class_names = tf.saved_model.Asset(str(names))
        tf.saved_model.save(traced.module, str(path), signatures={_SIGNATURE: traced.graph})


def _load_saved_model(path: Path) -> Runner:
    import tensorflow as tf

    loaded = tf.saved_model.load(str(path))

    def run(pixels: np.ndarray) -> np.ndarray:
        # Looked up at each call: a signature alone does not keep its variables alive.
        serve = loaded.signatures[_SIGNATURE]
        return serve(**{PIXELS: tf.constant(pixels)})[PROBABILITIES].numpy()

    return Runner(f"TensorFlow {tf.__version__}", run)


def _is_our_saved_model(path: Path) -> bool:
    parts = {"assets", "fingerprint.pb", "saved_model.pb", "variables"}
    if not path.is_dir() or not {entry.name for entry in path.iterdir()} <= parts:
        return False
    return (path / "assets" / CLASSES).is_file() and (path / "saved_model.pb").is_file()


def _write_litert(traced: TracedModel, path: Path) -> None:
    """Write a .tflite file; classes.txt is in the zip archive at its end, which runtimes skip.

    Source: TensorFlow Lite Metadata, "Pack metadata and associated files into the model".
    """
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_concrete_functions([traced.graph], traced.module)
    path.write_bytes(converter.convert())
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(zipfile.ZipInfo(CLASSES, _DATE), _class_lines(traced))


def _is_our_litert(path: Path) -> bool:
    if not path.is_file() or not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return archive.namelist() == [CLASSES]


def _load_litert(path: Path) -> Runner:
    """Load into LiteRT where it is installed, else into the one in TensorFlow (deprecated)."""
    if find_spec("ai_edge_litert"):
        from ai_edge_litert.interpreter import Interpreter

        runtime = f"LiteRT {version('ai-edge-litert')}"
    else:
        import tensorflow as tf

        Interpreter = tf.lite.Interpreter  # noqa: N806 - a class
        runtime = f"the LiteRT of TensorFlow {tf.__version__}"
    runner = Interpreter(str(path)).get_signature_runner(_SIGNATURE)
    return Runner(runtime, lambda pixels: runner(**{PIXELS: pixels})[PROBABILITIES])


def _write_onnx(traced: TracedModel, path: Path) -> None:
    """Write an ONNX file; its metadata `class_names` is a JSON list.

    Not Keras' own export: it leaves the constants of a Normalization layer as inputs of the graph.
    """
    import onnx
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2
    from tf2onnx import convert

    frozen = convert_variables_to_constants_v2(traced.graph)
    (pixels,), (probabilities,) = frozen.inputs, frozen.outputs
    model, _ = convert.from_graph_def(
        frozen.graph.as_graph_def(),
        name="classifier",
        input_names=[pixels.name],
        output_names=[probabilities.name],
        opset=_OPSET,
        custom_op_handlers={"Erfc": (_as_erf, [])},
        tensors_to_rename={pixels.name: PIXELS, probabilities.name: PROBABILITIES},
    )
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "batch"
    _renumber(model.graph)
    onnx.helper.set_model_props(model, {_ONNX_CLASSES: json.dumps(traced.class_names)})
    path.write_bytes(model.SerializeToString(deterministic=True))


def _as_erf(graph: Any, node: Any, name: str, _: list[str]) -> None:
    """Write `node`, an Erfc (of GELU), as 1 - Erf: ONNX has no Erfc, and tf2onnx no rule for it."""
    node.type = "Erf"
    one = graph.make_const(f"{name}/one", np.array(1, np.float32))
    inputs = [one.output[0], node.output[0]]
    difference = graph.insert_new_node_on_output("Sub", node.output[0], f"{name}/1-", inputs=inputs)
    graph.copy_shape(node.output[0], difference.output[0])


def _renumber(graph: Any) -> None:
    """Make the names in `graph`, and its order of weights, the same on every run.

    tf2onnx ends the names that it makes up in two underscores and a number, which comes from one
    count for the whole process and, through sets of names, from Python's hash seed.
    """
    numbers: dict[str, str] = {}

    def renumbered(name: str) -> str:
        return re.sub(r"__\d+", lambda at: numbers.setdefault(at[0], f"__{len(numbers)}"), name)

    for node in graph.node:
        node.name = renumbered(node.name)
        for names in (node.input, node.output):
            names[:] = [renumbered(name) for name in names]
    for weight in graph.initializer:
        weight.name = renumbered(weight.name)
    graph.initializer.sort(key=lambda weight: weight.name)


def _is_our_onnx(path: Path) -> bool:
    # Without the library, which may not be there: the property's name is in the file as it is.
    return path.is_file() and _ONNX_CLASSES.encode() in path.read_bytes()


def _load_onnx(path: Path) -> Runner:
    """Load into ONNX Runtime where it is installed, else into ONNX's own evaluator (slow)."""
    if find_spec("onnxruntime"):
        from onnxruntime import InferenceSession

        session = InferenceSession(path, providers=["CPUExecutionProvider"])
        runtime = f"ONNX Runtime {version('onnxruntime')}"
    else:
        from onnx.reference import ReferenceEvaluator

        session = ReferenceEvaluator(str(path))
        runtime = f"the reference evaluator of ONNX {version('onnx')}"
    return Runner(runtime, lambda pixels: session.run([PROBABILITIES], {PIXELS: pixels})[0])


FORMATS = {
    "saved_model": ExportFormat(
        "SavedModel",
        "saved_model",
        (),
        _write_saved_model,
        _load_saved_model,
        _is_our_saved_model,
    ),
    "litert": ExportFormat(
        "LiteRT", "model.tflite", (), _write_litert, _load_litert, _is_our_litert
    ),
    "onnx": ExportFormat(
        "ONNX", "model.onnx", ("onnx", "tf2onnx"), _write_onnx, _load_onnx, _is_our_onnx
    ),
}
