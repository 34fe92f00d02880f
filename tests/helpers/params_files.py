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


def with_presets(*names: str) -> str:
    """Return the text of the shipped params with these presets alone: it is sooner parsed."""
    first, *others = (ROOT / "params.yaml").read_text().split("\n\n  # ")
    head = first.split("\nmodels:\n")[0] + "\nmodels:"
    kept = [block for block in others if block.split("\n  ")[1].split(":")[0] in names]
    return "\n\n  # ".join([head, *kept]).rstrip("\n") + "\n"
