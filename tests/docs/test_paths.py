"""Paths that the pages for contributors name exist."""

import re
from pathlib import Path

import pytest

from closure import ROOT
from documents import inline_code, name_of
from reference import files

PAGES = [ROOT / name for name in ("docs/architecture.md", "docs/adding.md", "CONTRIBUTING.md")]
FOLDERS = (ROOT, ROOT / "src/cifar_pipeline")
PATH = re.compile(r"[\w.\-]+(/[\w.\-]*)+|[\w.\-]+\.(py|yaml|toml|md|lock|j2)")
# A word in capitals stands for a name of the reader's.
PLACEHOLDER = re.compile(r"(^|[/_])[A-Z]{2,}($|[/._])")


def paths(page: Path) -> list[str]:
    found = [code for code in inline_code(page) if PATH.fullmatch(code)]
    return [path for path in found if not PLACEHOLDER.search(path)]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_paths_exist(page: Path) -> None:
    of_a_run = {Path(file["path"]) for file in files()}
    of_a_run |= {folder for path in of_a_run for folder in path.parents}
    modules = {module.name for module in (ROOT / "src").rglob("*.py")}
    for path in paths(page):
        exists = (
            Path(path) in of_a_run
            or path in modules  # a sentence before it names the folder
            or any((folder / path).exists() for folder in FOLDERS)
        )
        assert exists, f"{name_of(page)} names {path}, which does not exist"


def test_paths_are_found() -> None:
    assert {"stages/", "network/build.py", "dvc.yaml"} <= set(paths(PAGES[0]))
