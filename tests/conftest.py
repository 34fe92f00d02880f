"""Fixtures that more than one module of tests uses."""

import pytest

from workspace import Workspace


@pytest.fixture(scope="session")
def finished_workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace in which `dvc repro` has run once. Tests that change it copy it first."""
    workspace = Workspace(tmp_path_factory.mktemp("pipeline"))
    workspace.first_output = workspace.run("dvc", "repro")
    workspace.commit("first run")
    return workspace
