"""A project of its own for every test: a short params.yaml, and an empty cache."""

from pathlib import Path

import pytest

from adopting import SHORT
from picture_folders import write_pictures


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with params.yaml as committed, but for most presets."""
    root = tmp_path / "project"
    root.mkdir()
    (root / "params.yaml").write_bytes(SHORT)
    monkeypatch.setenv("CIFAR_PIPELINE_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(root)
    return root


@pytest.fixture
def pictures(project: Path) -> Path:
    """A folder of pictures in the project, with 20 training images a class."""
    write_pictures(project / "pictures", train=20)
    return Path("pictures")
