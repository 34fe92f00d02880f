"""Say it in one line when a stage runs under a Python that cannot run it.

Imports the standard library only and keeps to old syntax: it must load where nothing else does.
"""

from __future__ import annotations  # an old Python has to load this, to be told that it is old

import sys
from importlib.util import find_spec

from cifar_pipeline.common.errors import recovery
from cifar_pipeline.common.start import RUN_AGAIN, start_program

NEEDED = (
    "jinja2",
    "keras",
    "matplotlib",
    "numpy",
    "pandas",
    "PIL",
    "platformdirs",
    "pydantic",
    "requests",
    "rich",
    "ruamel.yaml",
    "typer",
)


def _is_missing(module: str) -> bool:
    try:
        return find_spec(module) is None
    except ModuleNotFoundError:
        return True


def require_environment() -> None:
    """Start a stage; end it with status 1 and one line unless this is the project's Python.

    `python` in a DVC command is whatever comes first on PATH, often the system's.
    """
    start_program(f"{RUN_AGAIN}{recovery()}")
    reason = ""
    if not (3, 11) <= sys.version_info < (3, 14):
        reason = f"is Python {sys.version_info[0]}.{sys.version_info[1]}, not 3.11 to 3.13"
    else:
        missing = [module for module in NEEDED if _is_missing(module)]
        if missing:
            reason = "lacks " + ", ".join(missing)
    if reason:
        sys.exit(
            f"error: {sys.executable} {reason}; run `make repro`, or put the project's "
            'environment first on PATH: PATH="$PWD/.venv/bin:$PATH" dvc repro'
        )
