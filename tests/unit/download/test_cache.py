"""Where archives are kept: in the user's cache, or else in the project."""

import os
import pwd
from pathlib import Path

import pytest

from cifar_pipeline.download import cache as module
from cifar_pipeline.download.cache import VARIABLE, cache_folder

IN_PROJECT = Path(".dvc/tmp/cifar-pipeline")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_it_is_the_users(home: Path) -> None:
    assert cache_folder() == home / ".cache/cifar-pipeline"
    assert list(home.iterdir()) == []


def test_where_home_is_no_folder_it_is_the_projects(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "file").touch()
    monkeypatch.setenv("HOME", str(home / "file"))
    assert cache_folder() == home / IN_PROJECT


def test_where_home_cannot_be_written_it_is_the_projects(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert cache_folder() == home / IN_PROJECT


def test_a_user_without_a_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(_: int) -> None:
        raise KeyError

    monkeypatch.delenv("HOME")
    monkeypatch.setattr(pwd, "getpwuid", unknown)
    assert cache_folder() == home / IN_PROJECT
    monkeypatch.setattr(module, "user_cache_path", lambda _: Path("~/.cache/cifar-pipeline"))
    assert cache_folder() == home / IN_PROJECT
    monkeypatch.setenv(VARIABLE, "~/cache")
    assert cache_folder() == home / "~/cache"


def test_the_variable_chooses_whatever_may_be_written(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "~/chosen")
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert cache_folder() == home / "chosen"
