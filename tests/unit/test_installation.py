"""What `make` keeps of pip's settings, and how it tells whose an environment is."""

import sys
from pathlib import Path

import pytest

from cifar_pipeline.installation import UNFINISHED, fault_of, settings_of


def test_settings_of_the_index_stay_and_no_other() -> None:
    listed = (
        ":env:.user='1'\n"
        ":env:.timeout='180'\n"
        "global.index-url='the index'\n"
        "global.timeout='5'\n"
        'global.target="/it\'s/here"\n'
        "install.extra-index-url='one\\ntwo'\n"
        "install.no-binary=':all:'\n"
        "download.index-url='another'\n"
    )
    assert settings_of(listed) == {
        "PIP_INDEX_URL": "the index",
        "PIP_EXTRA_INDEX_URL": "one\ntwo",
        "PIP_TIMEOUT": "180",
    }


@pytest.fixture
def venv(tmp_path: Path) -> Path:
    venv = tmp_path / ".venv"
    (venv / "bin").mkdir(parents=True)
    return venv


@pytest.mark.parametrize("start", ["#!{}\n", '#!/bin/sh\n\'\'\'exec\' "{}" "$0" "$@"\n'])
def test_scripts_of_another_folder_are_noticed(start: str, venv: Path) -> None:
    (venv / "bin/pip").write_text(start.format(venv / "bin/python3"))
    assert fault_of(venv, None) is None
    (venv / "bin/pip").write_text(start.format("/be fore/.venv/bin/python3"))
    assert fault_of(venv, None).startswith("it was made as /be fore/.venv (two paths, ")


def test_an_installation_that_was_cut_short_is_noticed(venv: Path) -> None:
    (venv / UNFINISHED).touch()
    assert fault_of(venv, None) == "the last installation into it was cut short"


def test_an_unsupported_python_is_noticed(venv: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 14, 0, "final", 0))
    assert fault_of(venv, None) == "it is of Python 3.14"
