"""A folder with a model, as the tests of predict need it."""

import shutil
from pathlib import Path

import pytest

from predicting import lay_out_model


@pytest.fixture(scope="session")
def with_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model and its operating point. Tests that change it copy it first."""
    folder = tmp_path_factory.mktemp("predict")
    lay_out_model(folder)
    return folder


@pytest.fixture
def model_path(with_model: Path) -> Path:
    return with_model / "models/model.keras"


@pytest.fixture
def folder(with_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Go to a copy of that folder, where `predict` finds the model by itself."""
    shutil.copytree(with_model, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path
