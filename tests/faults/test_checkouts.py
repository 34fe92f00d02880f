"""Clones that Git has changed, source archives, and environments that no longer work."""

import functools
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from dvc.config import Config

from broken_streams import FAULTS, Opener, break_streams
from closure import ROOT
from workspace import copy_project

RUNTIME = ".venv/.installed-runtime"
# Plays `python3 -m venv` in a tenth of a second: with a pip that notes how it was called.
VENV = """
import os, sys, venv
from pathlib import Path
folder = Path(sys.argv[-1])
venv.create(folder, symlinks=True)
(site,) = folder.glob("lib/python*/site-packages")
(site / "pip").mkdir()
(site / "pip/__init__.py").touch()
(site / "pip/__main__.py").write_text({pip!r})
script = folder / "bin/pip"
script.write_text(f"#!{{Path.cwd() / folder}}/bin/python\\n")
"""
PIP = """
import os, sys
from pathlib import Path
if "config" in sys.argv:
    print("global.index-url='https://index/simple'")
    print("global.target='/elsewhere'")
else:
    notes = sorted(name for name in os.environ if name.startswith(("PIP_", "PYTHONH")))
    Path("notes").write_text(" ".join([*sys.argv[1:], *notes]))
    if Path("kill").exists():
        os.kill(os.getpid(), 9)
    sys.exit(Path("refuse").exists())
"""


def git(*arguments: str, folder: Path) -> None:
    subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True)


@pytest.mark.fault(
    "Git changes line ends (`core.autocrlf=true`, `core.eol=crlf`)",
    "the clone has the same bytes: nothing is changed for DVC, and scripts run",
)
def test_a_clone_with_other_line_ends_has_the_same_bytes(tmp_path: Path) -> None:
    source, clone = tmp_path / "source", tmp_path / "clone"
    copy_project(source, lambda name: not name.startswith("tests/"))
    (source / "picture.jpg").write_bytes(b"\xff\xd8\r\n\n\r")
    git("init", "-q", folder=source)
    git("add", "-A", folder=source)
    author = ("-c", "user.name=Test", "-c", "user.email=test@example.org")
    git(*author, "commit", "-q", "-m", "all", folder=source)
    endings = ("-c", "core.autocrlf=true", "-c", "core.eol=crlf")
    git("clone", "-q", *endings, str(source), str(clone), folder=tmp_path)
    files = [path for path in source.rglob("*") if path.is_file() and ".git" not in path.parts]
    assert len(files) > 200
    for path in files:
        assert (clone / path.relative_to(source)).read_bytes() == path.read_bytes(), path


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """What `make` needs of the project, in a folder whose name has a space."""
    folder = tmp_path / "a project"
    (folder / "src/cifar_pipeline").mkdir(parents=True)
    for name in ("Makefile", *(f"src/cifar_pipeline/{x}.py" for x in ("installation", "checkout"))):
        shutil.copy(ROOT / name, folder / name)
    (folder / "requirements.txt").touch()
    return folder


@pytest.fixture
def make(project: Path, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Return a function that runs make, with a Python that makes environments quickly."""
    (tmp_path / "make_venv.py").write_text(VENV.format(pip=PIP))
    base = getattr(sys, "_base_executable", sys.executable)
    python = tmp_path / "python3"
    python.write_text(
        f'#!/bin/sh\ncase "$*" in *"-m venv"*) exec {base} -I {tmp_path}/make_venv.py "$@";; esac\n'
        f'exec {base} "$@"\n'
    )
    python.chmod(0o755)
    paths = [path for path in os.environ["PATH"].split(":") if ".venv" not in path]

    def make(
        *arguments: str,
        folder: Path | None = None,
        streams: Mapping[int, Opener] | None = None,
        **environment: str,
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["make", *(arguments or (RUNTIME,))],
            cwd=folder or project,
            env={"PATH": ":".join([str(tmp_path), *paths]), "HOME": str(tmp_path), **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            preexec_fn=functools.partial(break_streams, streams or {}),
            text=True,
            check=False,
        )

    return make


Make = Callable[..., subprocess.CompletedProcess[str]]
MADE = "installing requirements.txt into .venv\n"


def _moved(project: Path) -> Path:
    return project.rename(project.with_name("moved"))


def _copied(project: Path) -> Path:
    return shutil.copytree(project, project.with_name("copied"), symlinks=True)


def _python_gone(project: Path) -> Path:
    for name in ("python", "python3"):
        (project / ".venv/bin" / name).unlink()
        (project / ".venv/bin" / name).symlink_to("/nowhere/python3")
    return project


def _other_version(project: Path) -> Path:
    (lib,) = project.glob(".venv/lib/python*")
    lib.rename(lib.with_name("python3.2"))
    return project


@pytest.mark.fault(
    "`.venv` was moved, copied or renamed, its Python went away or is another version now, or its "
    "installation was killed",
    "`make` says so and makes it anew; what was installed once is installed again",
)
@pytest.mark.parametrize(
    ("harm", "reason"),
    [
        (_moved, "it was made as "),
        (_copied, "it was made as "),
        (_python_gone, "its Python does not start"),
        (_other_version, "it has no pip for its Python "),
    ],
)
def test_an_environment_that_no_longer_works_is_made_anew(
    harm: Callable[[Path], Path], reason: str, make: Make, project: Path
) -> None:
    assert make().stdout == MADE
    folder = harm(project)
    said = make(folder=folder).stdout
    assert said.startswith(f".venv is made anew: {reason}"), said
    assert said.endswith(f"\n{MADE}")
    assert said.count("\n") == 2
    assert "is up to date" in make(folder=folder).stdout


@pytest.mark.fault(
    "`make` is killed while pip installs",
    "the next one says so and makes `.venv` anew",
)
def test_a_killed_installation_is_begun_anew(make: Make, project: Path) -> None:
    (project / "kill").touch()
    done = make()
    assert done.returncode == 2
    assert "error: pip was killed (signal 9); run make again\n" in done.stdout
    (project / "kill").unlink()
    assert make().stdout.startswith(".venv is made anew: the last installation into it was cut")


@pytest.mark.fault(
    "the standard output of `make setup` is a full disk, is closed, or has no reader",
    "`.venv` is made all the same",
)
@pytest.mark.parametrize("fault", ["full streams", "no streams", "streams read by nobody"])
def test_an_environment_is_made_without_lines(fault: str, make: Make, project: Path) -> None:
    assert make(streams=FAULTS[fault]).returncode == 0
    assert (project / RUNTIME).exists()
    folder = _moved(project)  # which has a line more
    assert make(folder=folder, streams=FAULTS[fault]).returncode == 0


@pytest.mark.fault(
    "the package index does not answer",
    "a line says so, and `.venv` stays as it was",
)
def test_an_index_that_does_not_answer_costs_no_environment(make: Make, project: Path) -> None:
    make()
    (project / "refuse").touch()
    (project / "requirements.txt").write_text("# new\n")
    os.utime(project / RUNTIME, (0, 0))
    done = make()
    assert done.returncode == 2
    assert "error: pip could not install requirements.txt into .venv: " in done.stdout
    (project / "refuse").unlink()
    assert make().stdout.endswith(MADE)
    assert "anew" not in make().stdout


@pytest.mark.fault(
    "settings of pip or of Python that send packages elsewhere (`PIP_USER`, `PIP_TARGET`, pip.conf,"
    " `PYTHONHOME`, `PYTHONPATH`)",
    "`make` installs into `.venv` all the same; where packages come from stays as it is set",
)
def test_settings_of_pip_and_python_change_nothing(make: Make, project: Path) -> None:
    names = ("PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_PYTHON", "PIP_REQUIRE_VIRTUALENV")
    done = make(
        **dict.fromkeys(names, "1"),
        PYTHONHOME="/nowhere",
        PYTHONPATH="/nowhere",
        PYTHONSTARTUP="/nowhere",
        MAKEFLAGS="-j4",
    )
    assert done.stdout.endswith(MADE), done.stdout
    options = "--disable-pip-version-check install --quiet --require-hashes -r requirements.txt"
    assert (project / "notes").read_text() == f"{options} PIP_CONFIG_FILE PIP_INDEX_URL"


@pytest.mark.fault(
    "Python is missing, too old, or without the module venv",
    "`make` says in one line what to install or to name",
)
@pytest.mark.parametrize(
    ("script", "line"),
    [
        (None, "there is no python3.0; Python 3.11 to 3.13 is needed: make PYTHON=python3.12"),
        ("echo 'error: python3.0 is Python 3.9;' >&2; exit 1", "python3.0 is Python 3.9;"),
        (
            'case "$*" in *"-m venv"*) echo ensurepip is not available; exit 1;; esac\n'
            f'exec {getattr(sys, "_base_executable", sys.executable)} "$@"',
            "python3.0 lacks the modules venv or ensurepip; on Debian and Ubuntu `apt-get install",
        ),
    ],
)
def test_a_python_that_cannot_make_an_environment(
    script: str | None, line: str, make: Make, tmp_path: Path
) -> None:
    if script:
        (tmp_path / "python3.0").write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / "python3.0").chmod(0o755)
    done = make(RUNTIME, "PYTHON=python3.0")
    assert done.returncode == 2
    first, end = done.stdout.splitlines()
    assert line in first
    assert end.startswith("make: *** ")


@pytest.mark.fault(
    "`.venv` is of another Python than the one that `make PYTHON=...` names",
    "`make` says so and makes it anew",
)
def test_a_python_that_the_user_names_counts(make: Make, tmp_path: Path) -> None:
    make()
    version = "3.12" if sys.version_info[1] != 12 else "3.13"
    other = tmp_path / f"python{version}"
    pretend = f'case "$*" in *print*) echo {version}; exit;; esac'
    other.write_text(f'#!/bin/sh\n{pretend}\nexec {tmp_path}/python3 "$@"\n')
    other.chmod(0o755)
    said = make(RUNTIME, f"PYTHON={other.name}").stdout
    assert said.startswith(".venv is made anew: it is of Python 3.1")
    assert f", and {other.name} is Python {version}\n" in said
    assert "is up to date" in make(PYTHON="python3.99").stdout


@pytest.mark.fault(
    "the path of the project has a colon",
    "a line says so: no environment can be there",
)
def test_a_path_with_a_colon_is_named(make: Make, project: Path, tmp_path: Path) -> None:
    base = getattr(sys, "_base_executable", sys.executable)
    folder = project.rename(tmp_path / "a:b")
    done = make(RUNTIME, f"PYTHON={base}", folder=folder)
    assert "error: .venv cannot be made: the path " in done.stdout
    assert "has a ':'; move the project to one without" in done.stdout


@pytest.mark.fault(
    "make is run in another folder, with `-f`",
    "a line names the option `-C`",
)
def test_another_folder_needs_the_option_of_make(make: Make, project: Path, tmp_path: Path) -> None:
    done = make("-f", f"{project}/Makefile", folder=tmp_path)
    assert "run make in the project's folder: make -C FOLDER" in done.stdout
    assert make("-C", str(project), RUNTIME, folder=tmp_path).returncode == 0


@pytest.mark.fault(
    "a source archive: no Git repository",
    "`make repro` says so and lets DVC work without; tests say that they need a clone",
)
def test_a_source_archive_works_without_git(project: Path, make: Make, tmp_path: Path) -> None:
    (project / ".dvc").mkdir()
    settings = project / ".dvc/config.local"
    settings.write_text("[core]\n    autostage = false\n")

    def said() -> str:
        return subprocess.run(
            [sys.executable, "-I", "src/cifar_pipeline/checkout.py"],
            cwd=project,
            env={**os.environ, "GIT_CEILING_DIRECTORIES": str(tmp_path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    assert said().startswith("no Git repository here (a source archive?): ")
    assert Config(str(project / ".dvc"), validate=False)["core"]["no_scm"]
    assert said() == ""
    assert "error: the tests need a Git clone" in make("test").stdout
    # Of a worktree or a submodule that was copied without its repository.
    (project / ".git").write_text("gitdir: ../nowhere\n")
    assert said() == ""
    (project / ".git").unlink()
    git("init", "-q", folder=project)
    assert said().startswith("a Git repository: DVC uses it again")
    assert Config(str(project / ".dvc"), validate=False)["core"] == {"autostage": "false"}
    # A repository around the archive that ignores it: DVC would see no stages.
    (project / ".gitignore").write_text("*\n")
    assert said().startswith("no Git repository here")
