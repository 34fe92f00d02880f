"""A pipeline that was killed: what the next run finds, and what it ends in."""

from pathlib import Path

import pytest

from workspace import Workspace


@pytest.mark.fault("a kill tore the lock file of DVC", "`make repro` removes it and goes on")
@pytest.mark.parametrize("torn", ["", '{"data/raw": {"wri'])
def test_a_lock_file_of_dvc_that_a_kill_tore_is_mended(
    torn: str, finished_workspace: Workspace, tmp_path: Path
) -> None:
    workspace = finished_workspace.copy(tmp_path)
    path = workspace.folder / ".dvc/tmp/rwlock"
    path.write_text(torn)
    assert "Unable to read RWLock-file" in workspace.run("dvc", "repro", "preprocess", expect=255)
    recipe = ("make", "-s", "-o", "setup", "-o", "check-params", "repro")
    assert "up to date" in workspace.run(*recipe)
