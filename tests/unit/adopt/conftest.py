"""A project of its own for every test: a short params.yaml, and an empty cache."""

from pathlib import Path

import pytest

from params_files import with_presets


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with params.yaml as committed, but for most presets."""
    root = tmp_path / "project"
    root.mkdir()
    (root / "params.yaml").write_text(with_presets("fast", "best", "quick"))
    monkeypatch.setenv("CIFAR_PIPELINE_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(root)
    return root
