"""Find in a model's configuration what would need, or run, code that is not Keras' own."""

from collections.abc import Iterator
from typing import Any

# Layers of Keras that hold code, or a graph of another program.
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
