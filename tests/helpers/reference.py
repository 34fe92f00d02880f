"""The scripts that write pages of docs/, as modules, and the registry of files."""

import importlib.util
from types import ModuleType
from typing import Any

from closure import ROOT


def _script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / f"docs/reference/{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


generate: Any = _script("generate")
faults: Any = _script("faults")


def files() -> list[dict[str, Any]]:
    """Return the entries of docs/reference/files.yaml."""
    return [file for group in generate.read_registry()["groups"] for file in group["files"]]
