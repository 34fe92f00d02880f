"""A branch with another model: what `dvc metrics`, `params` and `plots diff main` show of it."""

import shutil
from pathlib import Path

import pytest

from cifar_pipeline.dataset.cifar10 import CLASS_NAMES
from differences import METRICS, SCORES, answer, at, metrics_that_differ, rows, without_differences
from workspace import Workspace

PLOTS = {
    "loss": "Cross-entropy by epoch",
    "accuracy": "Accuracy by epoch",
    "reports/confusion.csv": "Confusion on the test set",
    "reports/history.csv": "Learning rate by epoch",
    "reports/per_class_errors.csv": "Error rate by class",
}


@pytest.fixture(scope="module")
def branched(finished_workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace on the branch `wider`, whose first block has twice the filters of main's."""
    workspace = finished_workspace.copy(tmp_path_factory.mktemp("branches"))
    workspace.run("git", "switch", "-q", "-c", "wider")
    workspace.set_params({"models.fast.block1.filters": 16})
    workspace.run("dvc", "repro")
    workspace.commit("Twice the filters in the first block")
    return workspace


def test_metrics_diff_shows_the_metrics_that_differ(branched: Workspace) -> None:
    expected = metrics_that_differ(branched, "main", "wider")
    assert all(expected.values())
    assert without_differences(answer(branched, "metrics", "diff", "main")) == expected


def test_the_table_of_metrics_names_files_metrics_and_branches(branched: Workspace) -> None:
    header, *table = branched.run("dvc", "metrics", "diff", "main", "wider").splitlines()
    assert header.split() == ["Path", "Metric", "main", "wider", "Change"]
    expected = metrics_that_differ(branched, "main", "wider")
    shown = sorted(tuple(line.split()[:2]) for line in table)
    assert shown == sorted((name, metric) for name in METRICS for metric in expected[name])
    # Every class by its name, and scores by what they are of.
    _, *every = branched.run("dvc", "metrics", "diff", "--all", "main").splitlines()
    names = [line.split()[1] for line in every]
    assert sorted(names) == sorted(
        [f"error_by_class.{name}" for name in CLASS_NAMES]
        + [f"{part}.{name}" for part in ("test", "test_temperature_scaled") for name in SCORES]
        + ["test_temperature_scaled.temperature"]
        + [
            f"{part}.{name}"
            for part in ("train", "validation")
            for name in ("loss", "accuracy", "balanced_accuracy")
        ]
        + ["epochs", "best_epoch", "stopped_early", "precision"]
    )


def test_params_diff_shows_the_change_alone(branched: Workspace) -> None:
    change = {"models.fast.block1.filters": {"old": 8, "new": 16, "diff": 8}}
    assert answer(branched, "params", "diff", "main") == {"params.yaml": change}
    header, row = branched.run("dvc", "params", "diff", "main").splitlines()
    assert header.split() == ["Path", "Param", "main", "workspace"]
    assert row.split() == ["params.yaml", "models.fast.block1.filters", "8", "16"]


def test_plots_diff_draws_both_branches_from_their_own_files(branched: Workspace) -> None:
    drawn = answer(branched, "plots", "diff", "main", "wider")
    assert "errors" not in drawn
    assert set(drawn["data"]) == set(PLOTS)
    for name, title in PLOTS.items():
        (plot,) = drawn["data"][name]
        assert plot["revisions"] == ["main", "wider"]
        assert plot["content"]["title"]["text"] == title

    for name in (name for name in PLOTS if name.startswith("reports/")):
        points = drawn["data"][name][0]["content"]["data"]["values"]
        for branch in ("main", "wider"):
            expected = [{**row, "rev": branch} for row in rows(at(branched, branch, name))]
            assert [point for point in points if point["rev"] == branch] == expected
    curves = drawn["data"]["loss"][0]["content"]["data"]["values"]
    assert [(point["rev"], point["field"]) for point in curves] == [
        ("main", "loss"),
        ("main", "val_loss"),
        ("wider", "loss"),
        ("wider", "val_loss"),
    ]


def test_a_clone_without_any_cache_compares_branches(branched: Workspace, tmp_path: Path) -> None:
    clone = branched.copy(tmp_path)
    for folder in (".dvc/cache", "data", "models", "reports"):
        shutil.rmtree(clone.folder / folder)
    clone.run("git", "restore", ".")
    drawn = answer(clone, "plots", "diff", "main", "wider")
    assert "errors" not in drawn
    assert set(drawn["data"]) == set(PLOTS)
    expected = metrics_that_differ(clone, "main", "wider")
    assert without_differences(answer(clone, "metrics", "diff", "main", "wider")) == expected


def test_plots_diff_writes_a_page(branched: Workspace) -> None:
    branched.run("dvc", "plots", "diff", "main")
    page = (branched.folder / "dvc_plots/index.html").read_text()
    assert all(title in page for title in PLOTS.values())
    assert branched.run("git", "status", "--porcelain") == ""


def test_going_back_to_main_runs_nothing(branched: Workspace, tmp_path: Path) -> None:
    workspace = branched.copy(tmp_path)
    workspace.run("git", "switch", "-q", "main")
    workspace.run("dvc", "checkout")
    assert "up to date" in workspace.run("dvc", "repro")
    assert answer(workspace, "metrics", "diff", "main") == {}
    assert workspace.run("git", "status", "--porcelain") == ""
