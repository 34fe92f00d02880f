"""A run leaves the files, keys, columns and arrays of docs/reference/files.md, and no others."""

import csv
import json
import re
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from cifar_pipeline.dataset.cifar10 import CLASS_NAMES
from cifar_pipeline.metrics.registry import METRICS
from reference import files, generate
from workspace import Workspace

PLACEHOLDERS = {"METRIC": [metric.key for metric in METRICS], "CLASS": CLASS_NAMES}


def names_in(content: Any, before: str = "") -> set[str]:
    """Return the dotted keys of a JSON object's plain values and lists."""
    if not isinstance(content, dict):
        return {before.removesuffix(".")}
    return {name for key, value in content.items() for name in names_in(value, f"{before}{key}.")}


def contents(path: Path, kind: str) -> set[str]:
    """Return the names in a file that the registry describes by `kind`."""
    if kind == "keys":
        return names_in(json.loads(path.read_text()))
    if kind == "columns":
        with path.open() as file:
            return set(next(csv.reader(file)))
    if kind == "arrays":
        return set(np.load(path).keys())
    with zipfile.ZipFile(path) as archive:
        return set(archive.namelist())


def expanded(names: Iterable[str]) -> set[str]:
    """Return names with a placeholder replaced by each word that it stands for."""
    found = set(names)
    for placeholder, words in PLACEHOLDERS.items():
        found = {name.replace(placeholder, word) for name in found for word in words}
    return found


def test_a_run_leaves_what_is_documented(finished_workspace: Workspace) -> None:
    folder = finished_workspace.folder
    for file in files():
        if "only" in file:
            continue
        path = folder / file["path"]
        assert path.is_file(), file["path"]
        for kind in generate.CONTENTS:
            if kind in file:
                there = contents(path, kind)
                lacking = expanded(file[kind]) - there
                assert lacking <= expanded(file.get("may_lack", [])), file["path"]
                assert there <= expanded(file[kind]), file["path"]


def test_a_run_leaves_nothing_else(finished_workspace: Workspace) -> None:
    folder = finished_workspace.folder
    documented = {folder / file["path"] for file in files()}
    for file in files():  # several files may share an entry
        others = re.findall(r"`([\w.]+\.\w+)`", file["holds"])
        documented |= {folder / Path(file["path"]).with_name(other) for other in others}
    left = [path for room in ("data", "models", "reports") for path in (folder / room).rglob("*")]
    files_left = {path for path in left if path.is_file() and path.name != ".gitignore"}
    # Small batches fill fewer or as many files as CIFAR-10: any of the five may be there.
    assert {path for path in files_left - documented if "data_batch" not in path.name} == set()
