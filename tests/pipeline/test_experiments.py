"""Experiments: `dvc exp run -S`, show, diff and branch; queued and temporary ones."""

import json
import time
from pathlib import Path
from typing import Any

import psutil  # DVC brings it
import pytest

from differences import METRICS, answer, at, metrics_that_differ, rows, without_differences
from workspace import Workspace

CHANGE = {"params.yaml": {"models.fast.block1.filters": {"old": 8, "new": 16, "diff": 8}}}
MODULE = "src/cifar_pipeline/evaluate/reports.py"
# Marks what this version of the module has written, and says where it lies.
MARKING = """
_unmarked = metrics_of

def metrics_of(*arguments):
    print(f"marked {number} by {{__file__}}")
    return {{**_unmarked(*arguments), "mark": {number}}}
"""


@pytest.fixture(scope="module")
def experimented(
    finished_workspace: Workspace, tmp_path_factory: pytest.TempPathFactory
) -> Workspace:
    """A workspace in which the experiment `wider` has run and is applied."""
    workspace = finished_workspace.copy(tmp_path_factory.mktemp("experiments"))
    override = "models.fast.block1.filters=16"
    workspace.first_output = workspace.run("dvc", "exp", "run", "-n", "wider", "-S", override)
    return workspace


def shown(workspace: Workspace) -> dict[str, dict[str, Any]]:
    """Return what `dvc exp show` tells of main and of each experiment on it, by name."""
    _, main = answer(workspace, "exp", "show")
    experiments = {each["name"]: each["revs"][0]["data"] for each in main["experiments"] or []}
    return {"main": main["data"], **experiments}


def test_exp_run_overrides_a_param_and_runs_what_depends_on_it(experimented: Workspace) -> None:
    for stage in ("download", "preprocess"):
        assert f"Stage '{stage}' didn't change, skipping" in experimented.first_output
    for stage in ("train", "evaluate"):
        assert f"Running stage '{stage}':" in experimented.first_output
    assert answer(experimented, "params", "diff") == CHANGE


def test_exp_show_has_the_params_and_metrics_of_each(experimented: Workspace) -> None:
    experiments = shown(experimented)
    assert list(experiments) == ["main", "wider"]
    for name, filters in {"main": 8, "wider": 16}.items():
        data = experiments[name]
        params = data["params"]["params.yaml"]["data"]
        assert params["models"]["fast"]["block1"]["filters"] == filters
        kept = {file: json.loads(at(experimented, data["rev"], file)) for file in METRICS}
        assert {file: data["metrics"][file]["data"] for file in METRICS} == kept


def test_the_table_of_exp_show_has_readable_names(experimented: Workspace) -> None:
    options = ("--only-changed", "--drop", "error_by_class", "--csv")
    table = rows(experimented.run("dvc", "exp", "show", *options))
    assert [row["Experiment"] or row["rev"] for row in table] == ["workspace", "main", "wider"]
    assert [row["models.fast.block1.filters"] for row in table] == ["16", "8", "16"]
    assert {"test.negative_log_likelihood", "train.loss", "validation.loss"} <= set(table[0])


def test_exp_diff_shows_what_differs(experimented: Workspace) -> None:
    diff = answer(experimented, "exp", "diff", "main", "wider")
    assert diff["params"] == CHANGE
    commit = shown(experimented)["wider"]["rev"]
    expected = metrics_that_differ(experimented, "main", commit)
    assert all(expected.values())
    assert without_differences(diff["metrics"]) == expected


def test_exp_branch_makes_a_branch_of_it(experimented: Workspace, tmp_path: Path) -> None:
    workspace = experimented.copy(tmp_path)
    workspace.run("dvc", "exp", "branch", "wider", "kept")
    workspace.run("git", "restore", ".")
    workspace.run("git", "switch", "-q", "kept")
    workspace.run("dvc", "checkout")
    assert "up to date" in workspace.run("dvc", "repro")
    assert answer(workspace, "params", "diff", "main") == CHANGE
    assert workspace.run("git", "status", "--porcelain") == ""


def mark(workspace: Workspace, number: int) -> None:
    """Change a module of evaluate: its metrics get a mark, and it says where it lies."""
    workspace.run("git", "restore", MODULE)
    with (workspace.folder / MODULE).open("a") as file:
        file.write(MARKING.format(number=number))


def results(workspace: Workspace) -> list[bytes]:
    return [workspace.read(name) for name in ("params.yaml", "dvc.lock", *METRICS)]


def processes(workspace: Workspace) -> list[str]:
    """Return the commands of the running processes that work for this workspace."""
    mark_of_ours = ("CIFAR_PIPELINE_CACHE", workspace.environment["CIFAR_PIPELINE_CACHE"])
    found = []
    for process in psutil.process_iter():
        try:
            if mark_of_ours in process.environ().items():
                found.append(" ".join(process.cmdline()))
        except psutil.Error:  # it has ended, or is not ours to look at
            continue
    return found


def test_a_queued_experiment_runs_the_code_that_was_queued(workspace: Workspace) -> None:
    before = results(workspace)
    mark(workspace, 1)
    override = "evaluate.confused_pairs=3"
    workspace.run("dvc", "exp", "run", "--queue", "-n", "queued", "-S", override)
    mark(workspace, 2)
    workspace.run("dvc", "queue", "start")
    deadline = time.monotonic() + 120
    # DVC is asked once its worker has ended: each question is half a second of a processor.
    while processes(workspace) or "Success" not in workspace.run("dvc", "queue", "status"):
        assert time.monotonic() < deadline, processes(workspace)
        time.sleep(0.5)

    assert shown(workspace)["queued"]["metrics"][METRICS[1]]["data"]["mark"] == 1
    log = workspace.run("dvc", "queue", "logs", "queued")
    assert f"marked 1 by {workspace.folder}/.dvc/tmp/exps/" in log
    assert results(workspace) == before


def test_a_temporary_experiment_runs_its_own_copy(workspace: Workspace) -> None:
    before = results(workspace)
    mark(workspace, 1)
    override = "evaluate.confused_pairs=3"
    output = workspace.run("dvc", "exp", "run", "--temp", "-n", "temporary", "-S", override)
    assert f"marked 1 by {workspace.folder}/.dvc/tmp/exps/" in output
    assert shown(workspace)["temporary"]["metrics"][METRICS[1]]["data"]["mark"] == 1
    assert results(workspace) == before
    assert not processes(workspace)
