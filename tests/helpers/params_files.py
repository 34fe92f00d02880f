"""params.yaml with changes."""

import copy
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from closure import ROOT

SHIPPED = YAML(typ="safe", pure=True).load((ROOT / "params.yaml").read_text())


def written(folder: Path, changes: dict[str, Any]) -> Path:
    """Write the shipped params with `changes` by dotted name; `...` removes a key."""
    content = copy.deepcopy(SHIPPED)
    for name, value in changes.items():
        *parents, key = name.split(".")
        section = content
        for parent in parents:
            section = section[parent]
        if value is ...:
            del section[key]
        else:
            section[key] = value
    path = folder / "params.yaml"
    with path.open("w") as file:
        YAML().dump(content, file)
    return path
