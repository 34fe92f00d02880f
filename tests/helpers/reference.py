"""The script that writes docs/reference/, as a module, and the registry of files."""

import importlib.util
from typing import Any

from closure import ROOT

_SPEC = importlib.util.spec_from_file_location("generate", ROOT / "docs/reference/generate.py")
assert _SPEC
assert _SPEC.loader
generate = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(generate)


def files() -> list[dict[str, Any]]:
    """Return the entries of docs/reference/files.yaml."""
    return [file for group in generate.read_registry()["groups"] for file in group["files"]]
