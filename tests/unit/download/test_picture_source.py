"""Where download.source lies."""

from pathlib import Path

import pytest

from cifar_pipeline.common.errors import ParamsError
from cifar_pipeline.download.picture_source import local_source


def test_a_relative_source_is_of_the_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert local_source(None) is None
    assert local_source("") is None
    assert local_source("pictures") == Path("pictures")
    assert local_source("/nowhere") == Path("/nowhere")
    with pytest.raises(ParamsError, match=r"is an address.*under download\.sources"):
        local_source("https://example.org/cifar-10-binary.tar.gz")
    monkeypatch.setenv("HOME", "/home/me")
    assert local_source("~/pictures") == Path("/home/me/pictures")
    assert local_source("./~") == Path("~")  # a folder of that name
    assert local_source("~nobody of that name/x") == Path("~nobody of that name/x")


@pytest.mark.parametrize("copy", [".dvc/tmp/exps/tmpabc", ".dvc/tmp/exps/standalone/tmpabc"])
def test_dvc_s_copy_for_an_experiment_has_the_project_s_pictures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, copy: str
) -> None:
    project = tmp_path / "project"
    (project / copy).mkdir(parents=True)
    monkeypatch.chdir(project / copy)
    assert local_source("pictures") == Path("pictures")  # it is nowhere
    (project / "pictures").mkdir()
    assert local_source("pictures") == project / "pictures"
    # The copy has its own where Git or DVC keeps them.
    Path("pictures").mkdir()
    assert local_source("pictures") == Path("pictures")
