"""ONNX: one file that ONNX Runtime and many other runtimes execute."""

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cifar_pipeline.export.formats.base import (
    PIXELS,
    PROBABILITIES,
    ExportFormat,
    Runner,
    TracedModel,
    is_installed,
)

if TYPE_CHECKING:
    import keras

_CLASS_NAMES = "class_names"  # a property of the file's metadata
_OPSET = 18  # the latest that tf2onnx 1.17 writes


def _write(traced: TracedModel, path: Path) -> None:
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
    onnx.helper.set_model_props(model, {_CLASS_NAMES: json.dumps(traced.class_names)})
    path.write_bytes(model.SerializeToString(deterministic=True))


def _as_erf(graph: Any, node: Any, name: str, _: list[str]) -> None:
    """Write `node`, an Erfc (of GELU), as 1 - Erf: ONNX has no Erfc, and tf2onnx no rule for it."""
    import numpy as np

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


def _load(path: Path, _: "keras.Model") -> Runner:
    """Load into ONNX Runtime where it is installed, else into ONNX's own evaluator (slow)."""
    from importlib.metadata import version

    if is_installed("onnxruntime"):
        from onnxruntime import InferenceSession

        session = InferenceSession(path, providers=["CPUExecutionProvider"])
        runtime = f"ONNX Runtime {version('onnxruntime')}"
    else:
        from onnx.reference import ReferenceEvaluator

        session = ReferenceEvaluator(str(path))
        runtime = f"the reference evaluator of ONNX {version('onnx')}"
    return Runner(runtime, lambda pixels: session.run([PROBABILITIES], {PIXELS: pixels})[0])


def _is_ours(path: Path) -> bool:
    # As protobuf writes the name of a property: the tag of the field `key`, the length, the text.
    key = bytes([0x0A, len(_CLASS_NAMES)]) + _CLASS_NAMES.encode()
    return path.is_file() and key in path.read_bytes()


ONNX = ExportFormat(
    name="onnx",
    title="ONNX",
    path="model.onnx",
    needs=("onnx", "tf2onnx"),
    write=_write,
    load=_load,
    is_ours=_is_ours,
)
