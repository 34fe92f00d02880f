"""A login in an address of params.yaml: no line and no file of the pipeline shows it."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from typer.testing import CliRunner

from cifar_pipeline.check_params import main as check_params
from cifar_pipeline.common.console import command_app
from cifar_pipeline.params.download import DownloadParams
from cifar_pipeline.params.loading import load_section
from closure import ROOT
from download_fixtures import archive, batches, cache, hashes, npm, raw, server  # noqa: F401

LOGIN = "me:hunter2"
TOKEN = "?token=hunter2&X-Amz-Signature=hunter2"


def addresses(place: str) -> dict[str, str | None]:
    """Return sources with logins, and one with which everything is wrong in another way each."""
    host = place.removeprefix("http://")
    return {
        "npm": f"https://{LOGIN}@127.0.0.1:9/a.tgz",
        "gone": f"http://{LOGIN}@{host}/missing{TOKEN}",
        "page": f"http://{LOGIN}@{host}/html{TOKEN}",
        "closed": f"https://{LOGIN}@127.0.0.1:9/x{TOKEN}",
        "odd": f"https://me:hunter2/x@127.0.0.1:port/{TOKEN}",
    }


@pytest.mark.fault(
    "a login or a token in an address (`download.sources`, a proxy)",
    "no line, log or file of the pipeline shows it",
)
def test_no_line_and_no_file_shows_a_login(
    server: Any,  # noqa: F811
    npm: Callable[[str], None],  # noqa: F811
    hashes: dict[str, str],  # noqa: F811
    cache: Path,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    npm("sys.exit('npm error code E1\\nnpm error request to ' + sys.argv[-1] + ' failed')")
    monkeypatch.setenv("HTTPS_PROXY", f"http://{LOGIN}@127.0.0.1:9")
    place = server.at("").rstrip("/")
    section = {
        "source": None,
        "sources": addresses(place),
        "minimum_kilobytes_per_second": 0,
        "slow_for_seconds": 5,
        "sha256": hashes,
    }
    (tmp_path / "params.yaml").write_text(json.dumps({"download": section}))

    def stage() -> None:
        from cifar_pipeline.download.stage import download

        download(
            tmp_path / "raw", load_section(tmp_path / "params.yaml", DownloadParams, "download")
        )

    said = CliRunner().invoke(command_app(stage), [])
    assert said.exit_code == 1
    assert said.output.count("***") >= 5
    assert "hunter2" not in said.output
    assert len(said.stderr.splitlines()) == 2 + len(addresses(place))

    section["sources"] = {"fine": f"http://{LOGIN}@{place.removeprefix('http://')}/fine"}
    (tmp_path / "params.yaml").write_text(json.dumps({"download": section}))
    said = CliRunner().invoke(command_app(stage), [])
    assert said.exit_code == 0, said.output
    assert "hunter2" not in said.output
    files = [path for path in tmp_path.rglob("*") if path.is_file() and path.name != "params.yaml"]
    assert len(files) > 6
    for path in files:
        assert b"hunter2" not in path.read_bytes(), path


@pytest.mark.fault(
    "an address with a login that is none of a source",
    "the line that refuses it shows `***`",
)
@pytest.mark.parametrize("value", [f"ftp://{LOGIN}@host/x", f"{LOGIN}@host"])
def test_a_refused_address_is_shown_without_its_login(value: str, tmp_path: Path) -> None:
    params = _params(tmp_path, value)
    said = CliRunner().invoke(command_app(check_params), ["--params", str(params)])
    assert said.exit_code == 2
    assert "mirror must be an http://" in said.output
    assert "hunter2" not in said.output


@pytest.mark.fault(
    "a login in `params.yaml`, which Git keeps",
    "`make check-params` advises `~/.netrc`",
)
def test_check_params_advises_another_place(tmp_path: Path) -> None:
    params = _params(tmp_path, f"https://{LOGIN}@host/x")
    said = CliRunner().invoke(command_app(check_params), ["--params", str(params)])
    assert said.exit_code == 0, said.output
    assert "warning: " in said.stderr
    assert "download.sources.mirror holds a login" in said.stderr
    assert "~/.netrc" in said.stderr


def _params(folder: Path, mirror: str) -> Path:
    path = folder / "params.yaml"
    shutil.copy(ROOT / "params.yaml", path)
    yaml = YAML()
    content = yaml.load(path.read_text())
    content["download"]["sources"]["mirror"] = mirror
    with path.open("w") as file:
        yaml.dump(content, file)
    return path
