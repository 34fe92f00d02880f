"""A project of its own for every test: params.yaml as committed, and an empty cache."""

from pathlib import Path

import pytest

from closure import ROOT


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with params.yaml byte for byte."""
    root = tmp_path / "project"
    root.mkdir()
    (root / "params.yaml").write_bytes((ROOT / "params.yaml").read_bytes())
    monkeypatch.setenv("CIFAR_PIPELINE_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(root)
    return root
