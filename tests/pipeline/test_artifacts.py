"""Whoever has the repository's address fetches the model, by path or by name."""

from pathlib import Path

import pytest
from ruamel.yaml import YAML

from closure import ROOT
from workspace import Workspace

NAME = "cifar10-classifier"


@pytest.fixture(scope="module")
def published(finished_workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace whose model lies in a shared folder. Its own cache is gone."""
    folder = tmp_path_factory.mktemp("published")
    workspace = finished_workspace.copy(folder)
    workspace.run("dvc", "remote", "add", "--default", "shared", str(folder / "shared"))
    workspace.commit("Where the model lies")
    workspace.run("dvc", "push", "-q", "models/model.keras")
    (workspace.folder / ".dvc/cache").rename(folder / "cache-elsewhere")
    return workspace


def fetch(published: Workspace, folder: Path, *command: str, expect: int = 0) -> str:
    """Run a command of DVC in `folder`, which is no repository; return what it printed."""
    return published.run("dvc", "--cd", str(folder), *command, expect=expect)


def test_dvc_get_needs_the_path_alone(published: Workspace, tmp_path: Path) -> None:
    fetch(published, tmp_path, "get", str(published.folder), "models/model.keras")
    assert (tmp_path / "model.keras").read_bytes() == published.read("models/model.keras")


def test_dvc_artifacts_get_needs_an_annotated_tag(published: Workspace, tmp_path: Path) -> None:
    workspace = published.copy(tmp_path)
    model = workspace.read("models/model.keras")
    command = ("artifacts", "get", str(workspace.folder), NAME)
    without_a_tag = fetch(workspace, tmp_path, *command, expect=1)
    assert f"Unable to find artifact '{NAME}'" in without_a_tag
    workspace.run("git", "tag", f"{NAME}@v0.9.0")  # without a message
    assert fetch(workspace, tmp_path, *command, expect=1) == without_a_tag

    workspace.run("git", "tag", "-a", f"{NAME}@v1.0.0", "-m", "The first model")
    fetch(workspace, tmp_path, *command)
    assert (tmp_path / "model.keras").read_bytes() == model

    # The version stays, whatever becomes of the branch.
    workspace.run("git", "rm", "-q", "dvc.yaml", "dvc.lock")
    workspace.commit("Without a model")
    fetch(workspace, tmp_path, *command, "--rev", "v1.0.0", "-o", "again.keras")
    assert (tmp_path / "again.keras").read_bytes() == model


def test_the_artifact_is_an_out_of_train() -> None:
    content = YAML(typ="safe", pure=True).load((ROOT / "dvc.yaml").read_text())
    assert list(content["artifacts"]) == [NAME]
    assert content["artifacts"][NAME]["path"] in content["stages"]["train"]["outs"]
    assert content["artifacts"][NAME]["type"] == "model"
