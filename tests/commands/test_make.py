"""The environment in layers: what `make` installs, and locks that agree with each other."""

import re
import subprocess
from pathlib import Path

import pytest

from closure import ROOT

EXTRAS = ("gpu", "jax", "ssh", "s3", "export")
PINNED = re.compile(r"^([\w.-]+==[^\\]+?) *\\$", re.MULTILINE)


def make(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Say what `make` would run where nothing is installed."""
    command = ["make", "--dry-run", "VENV=nowhere", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def installed(*arguments: str) -> list[str]:
    return re.findall(r"--require-hashes -r (\S+)", make(*arguments).stdout)


def pins(path: Path) -> set[str]:
    return set(PINNED.findall(path.read_text()))


@pytest.mark.parametrize(
    ("arguments", "locks"),
    [
        (["repro"], ["requirements.txt"]),
        (["repro", "EXTRAS=gpu"], ["requirements.txt", "requirements-gpu.txt"]),
        (
            ["repro", "EXTRAS=ssh s3"],
            ["requirements.txt", "requirements-s3.txt", "requirements-ssh.txt"],
        ),
        (["test"], ["requirements.txt", "requirements-dev.txt"]),
    ],
)
def test_no_more_is_installed_than_asked_for(arguments: list[str], locks: list[str]) -> None:
    assert installed(*arguments) == locks


def test_an_unknown_extra_is_refused() -> None:
    refused = make("repro", "EXTRAS=ssh s4")
    assert refused.returncode == 2
    assert "EXTRAS: s4 is not known; the extras are gpu jax ssh s3 export" in refused.stderr


@pytest.mark.parametrize("name", ["dev", *EXTRAS])
def test_each_lock_holds_what_the_runtime_does(name: str) -> None:
    runtime = pins(ROOT / "requirements.txt")
    assert len(runtime) > 100
    assert runtime < pins(ROOT / f"requirements-{name}.txt")


def test_extras_go_on_top_of_each_other() -> None:
    """Two locks that pin one package differently would undo each other at every call."""
    runtime = pins(ROOT / "requirements.txt")
    versions: dict[tuple[str, ...], str] = {}
    for name in ("dev", *EXTRAS):
        for pin in pins(ROOT / f"requirements-{name}.txt") - runtime:
            package, _, version = pin.partition("==")
            version, _, where = version.partition(" ; ")
            python = tuple(re.findall("python_full_version [^ ]+ '[^']+'", where))
            assert versions.setdefault((package, *python), version) == version, package


LOCKS = [*ROOT.glob("requirements*.txt"), *ROOT.glob("tests/locks/*.txt")]


@pytest.mark.parametrize("path", sorted(LOCKS), ids=lambda path: path.name)
def test_no_lock_names_an_index(path: Path) -> None:
    assert not re.search(r"://|--index|--find-links", path.read_text())
