"""The closure of imports follows every way in which a module can be imported."""

from pathlib import Path

import pytest

from closure import import_closure


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with a package of two levels; `stages/run.py` is each test's to write."""
    for name in ("__init__", "first", "second", "inner/__init__", "inner/deep"):
        path = tmp_path / "src/package" / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (tmp_path / "stages").mkdir()
    (tmp_path / "stages/helper.py").touch()
    return tmp_path


def closure_of(code: str, project: Path) -> set[str]:
    script = project / "stages/run.py"
    script.write_text(code)
    files = import_closure(script, project)
    return {name.removeprefix("src/package/").removeprefix("stages/") for name in files}


INNER = {"__init__.py", "inner/__init__.py", "inner/deep.py"}


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("import package.first", {"__init__.py", "first.py"}),
        ("import package.first as other, package.second", {"__init__.py", "first.py", "second.py"}),
        ("from package import first", {"__init__.py", "first.py"}),
        ("from package.first import something", {"__init__.py", "first.py"}),
        ("from package.inner import deep", INNER),
        ("import package.inner.deep", INNER),
        ("def main():\n    import package.first", {"__init__.py", "first.py"}),
        ("try:\n    import package.first\nexcept ImportError: pass", {"__init__.py", "first.py"}),
        ("import importlib\nimportlib.import_module('package.first')", {"__init__.py", "first.py"}),
        ("__import__('package.first')", {"__init__.py", "first.py"}),
        ("import helper", {"helper.py"}),
        ("import numpy, first", set()),
    ],
)
def test_every_form_of_import(code: str, expected: set[str], project: Path) -> None:
    assert closure_of(code, project) == {"run.py", *expected}


def test_relative_imports(project: Path) -> None:
    (project / "src/package/inner/deep.py").write_text("from ..first import x\nfrom . import more")
    (project / "src/package/inner/more.py").write_text("from .. import second")
    found = closure_of("import package.inner.deep", project)
    assert found == {"run.py", *INNER, "first.py", "second.py", "inner/more.py"}


def test_a_packages_init_counts_with_what_it_imports(project: Path) -> None:
    (project / "src/package/inner/__init__.py").write_text("from .deep import x")
    (project / "src/package/__init__.py").write_text("from package import second")
    assert closure_of("import package.inner", project) == {"run.py", "second.py", *INNER}


def test_circles_end(project: Path) -> None:
    (project / "src/package/first.py").write_text("import package.second")
    (project / "src/package/second.py").write_text("import package.first")
    found = closure_of("import package.first", project)
    assert found == {"run.py", "__init__.py", "first.py", "second.py"}


def test_what_the_type_checker_alone_imports_does_not_run(project: Path) -> None:
    code = (
        "from typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    import package.first\nelse:\n    import package.second\n"
    )
    assert closure_of(code, project) == {"run.py", "__init__.py", "second.py"}


def test_an_import_that_cannot_be_read_is_an_error(project: Path) -> None:
    code = "from importlib import import_module\nimport_module(input())"
    with pytest.raises(AssertionError, match="line 2: this import cannot be read"):
        closure_of(code, project)
