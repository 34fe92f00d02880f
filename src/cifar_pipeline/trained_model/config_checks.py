"""What a model's configuration asks for, found before Keras makes a single layer of it."""

import math
from collections.abc import Iterator
from typing import Any

# Layers of Keras that hold code, or a graph of another program.
_MOST_PIXELS = 2**25  # of an image, times its channels
_RUN_CODE = {"Lambda", "TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer", "__lambda__"}


def custom_code(config: Any) -> str | None:
    """Return what in a config.json needs code of its own, in words; None where nothing does.

    How the model was trained does not count: it is loaded without.
    """
    if isinstance(config, dict):
        config = config | {"compile_config": None}
    for value in _objects(config):
        kind, module = str(value["class_name"]), value.get("module")
        inner = value.get("config")
        name = inner.get("name") if isinstance(inner, dict) else None
        called = f"layer {name!r} ({kind})" if isinstance(name, str) else kind
        if kind in _RUN_CODE:
            return f"its {called} holds code"
        if isinstance(module, str) and module != "builtins":
            if module.partition(".")[0] != "keras":
                return f"its {called} comes from {module}"
        elif value.get("registered_name") and not kind.startswith("__"):
            written = inner if isinstance(inner, str) else called
            return f"its {written} is of a program's own"
    return None


def too_large(config: Any, weights_bytes: int) -> str | None:
    """Return which layer cannot be of this archive for its size, in words; None where all can.

    Keras makes a layer of the size that the configuration claims, before it reads the weights.

    Args:
        config: what `json.loads` gives of a config.json.
        weights_bytes: size of the archive, unpacked. A weight takes half a byte at least.
    """
    for value in _objects(config):
        inner = value.get("config")
        if not isinstance(inner, dict):
            continue
        numbers, most = _weights(inner, value.get("build_config")), 2 * weights_bytes
        if value["class_name"] == "InputLayer":
            numbers, most = _product(inner.get("batch_shape")), _MOST_PIXELS
        if numbers > most:
            return f"{inner.get('name')!r} in it claims {numbers:,} numbers, and {most:,} can be"
    return None


def _weights(layer: dict[str, Any], built: Any) -> int:
    """Return how many weights a layer has at least: the kernel of a dense layer or convolution."""
    width = _product(layer.get("units", layer.get("filters", 0)))
    if not width:
        return 0
    shape = built.get("input_shape") if isinstance(built, dict) else None
    channels = _product(shape[-1:]) if isinstance(shape, list) else 1
    kernel = _product(layer.get("kernel_size", []))
    return width * kernel * max(channels // max(_product(layer.get("groups", 1)), 1), 1)


def _product(numbers: Any) -> int:
    """Return the product of a list of numbers, or one; of what is no whole number, 1."""
    listed = numbers if isinstance(numbers, list) else [numbers]
    return math.prod(each for each in listed if type(each) is int)


def _objects(config: Any) -> Iterator[dict[str, Any]]:
    """Yield each object of a configuration; without recursion, which a file could make too deep."""
    waiting = [config]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            if "class_name" in value:
                yield value
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
