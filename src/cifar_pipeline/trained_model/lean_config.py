"""The configuration of a Keras model without what its layers' constructors assume anyway.

Keras writes every argument of a layer into config.json, those among it that only came with its
latest release. An older Keras refuses a layer with an argument that it does not know, also where
the argument has its default value. Without these a model loads in all of them.
"""

import copy
import inspect
import json
from typing import Any

import keras

_FIELDS = ("module", "class_name", "config", "registered_name")


def without_defaults(value: Any) -> Any:
    """Return what `json.loads` gives of a config.json, without arguments at their default value.

    The constructors of Keras' own layers, initializers and the like tell their defaults. An
    argument stays where the object could not be made without it, or would be another one.
    """
    if isinstance(value, list):
        return [without_defaults(each) for each in value]
    if not isinstance(value, dict):
        return value
    lean = {name: without_defaults(each) for name, each in value.items()}
    # A model's own constructor is not called with its configuration.
    if not _is_of_keras(value) or "layers" in value["config"]:
        return lean
    made = _made(value)
    defaults = _defaults(type(made))
    idle = [name for name, each in value["config"].items() if defaults.get(name) == _text(each)]
    for names in (idle, *([name] for name in idle)):  # all of them, or one by one
        rest = {name: each for name, each in lean["config"].items() if name not in names}
        if _makes(lean | {"config": rest}, made):
            lean["config"] = rest
            if names is idle:
                break
    return lean


def _is_of_keras(value: dict[str, Any]) -> bool:
    """Say whether `value` describes an object of a class of Keras, and not a tensor, say."""
    return (
        str(value.get("module")).partition(".")[0] == "keras"
        and isinstance(value.get("config"), dict)
        and not str(value.get("class_name")).startswith("__")
    )


def _made(value: dict[str, Any]) -> Any:
    """Return the object that `value` describes, without weights: it is not built."""
    fields = {name: copy.deepcopy(value.get(name)) for name in _FIELDS}  # Keras takes parts away
    return keras.saving.deserialize_keras_object(fields)


def _makes(value: dict[str, Any], made: Any) -> bool:
    """Say whether `value` describes an object like `made`."""
    serialize = keras.saving.serialize_keras_object
    try:
        return _text(serialize(_made(value))) == _text(serialize(made))
    except Exception:  # whatever a class raises that wants an argument
        return False


def _defaults(kind: type) -> dict[str, str]:
    """Return the defaults of the arguments of a class, as `_text` by name.

    Those of its bases, too, as long as the arguments that it does not name are passed on.
    """
    found: dict[str, str] = {}
    for base in kind.__mro__:
        parameters = inspect.signature(base.__init__).parameters.values()  # type: ignore[misc]
        for each in parameters:
            if each.default is not inspect.Parameter.empty:
                found.setdefault(each.name, _text(each.default))
        if not any(each.kind is inspect.Parameter.VAR_KEYWORD for each in parameters):
            break
    return found


def _text(value: Any) -> str:
    """Return JSON, in which True is not 1, and (1, 1) is [1, 1]."""
    return json.dumps(value, sort_keys=True, default=repr)
