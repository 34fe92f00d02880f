"""What DVC should say of two revisions, worked out from their files."""

import csv
import io
import json
from typing import Any

from cifar_pipeline.metrics import registry
from workspace import Workspace

SCORES = [metric.key for metric in registry.METRICS]
METRICS = ("reports/train_metrics.json", "reports/test_metrics.json")


def answer(workspace: Workspace, *command: str) -> Any:
    """Run a command of DVC with --json; return what it answers. Its warnings come before that."""
    return json.loads(workspace.run("dvc", *command, "--json").splitlines()[-1])


def at(workspace: Workspace, revision: str, name: str) -> str:
    """Return the text of a file in a Git revision."""
    return workspace.run("git", "show", f"{revision}:{name}")


def flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested values under dotted names."""
    result = {}
    for name, value in values.items():
        inner = isinstance(value, dict)
        result |= flat(value, f"{prefix}{name}.") if inner else {f"{prefix}{name}": value}
    return result


def metrics_that_differ(workspace: Workspace, old: str, new: str) -> dict[str, dict[str, Any]]:
    """Return, by file and dotted name, the metrics of two revisions that are not equal."""
    result = {}
    for name in METRICS:
        before, after = (flat(json.loads(at(workspace, rev, name))) for rev in (old, new))
        assert list(before) == list(after)
        result[name] = {
            key: {"old": before[key], "new": after[key]}
            for key in before
            if before[key] != after[key]
        }
    return result


def without_differences(diff: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return a diff of DVC's without the differences that it has worked out itself."""
    return {
        name: {
            key: {side: value for side, value in entry.items() if side != "diff"}
            for key, entry in entries.items()
        }
        for name, entries in diff.items()
    }


def rows(table: str) -> list[dict[str, str]]:
    """Return the rows of a CSV file."""
    return list(csv.DictReader(io.StringIO(table)))
