"""Packages import downwards only, in the order that docs/architecture.md lists."""

import ast
import re
from pathlib import Path

import pytest

from closure import ROOT, Imports

PACKAGE = ROOT / "src/cifar_pipeline"
_SECTION = (ROOT / "docs/architecture.md").read_text().split("## Rooms\n")[1].split("\n## ")[0]
ROOMS = re.findall(r"^\| `(\w+)(?:/|\.py)` \|", _SECTION, re.MULTILINE)
MODULES = sorted(PACKAGE.rglob("*.py"))


def room_of(module: Path) -> str:
    return module.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported_rooms(module: Path) -> set[str]:
    """Return the rooms that a module imports from, also for the type checker alone."""
    package = ".".join(module.relative_to(PACKAGE.parent).parent.parts)
    imports = Imports(module, package, type_checking=True)
    imports.visit(ast.parse(module.read_text()))
    names = [name.split(".") for name in imports.names if name.startswith("cifar_pipeline.")]
    return {name[1] for name in names}


def test_every_room_is_listed_once() -> None:
    rooms = {room_of(module) for module in MODULES} - {"__init__", "__main__"}
    assert sorted(ROOMS) == sorted(rooms)


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_room_imports_from_those_above_it_only(module: Path) -> None:
    room = room_of(module)
    above = ROOMS if room in ("__init__", "__main__") else ROOMS[: ROOMS.index(room) + 1]
    assert imported_rooms(module) <= set(above)


def test_the_page_is_imported_by_its_stage_only() -> None:
    page = PACKAGE / "evaluate/page"
    importers = {
        module.relative_to(PACKAGE).as_posix()
        for module in MODULES
        if not module.is_relative_to(page) and "evaluate.page" in module.read_text()
    }
    assert importers == {"evaluate/stage.py"}


def test_src_imports_nothing_from_stages() -> None:
    assert not [m for m in MODULES if re.search(r"^\s*(from|import) stages\b", m.read_text(), re.M)]


def test_no_module_is_long() -> None:
    assert not [m.name for m in MODULES if len(m.read_text().splitlines()) > 300]
