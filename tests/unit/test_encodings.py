"""Text files are written and read as UTF-8, whatever the locale: each place says so."""

import ast
from pathlib import Path

import pytest

from closure import ROOT

MODULES = [
    *(ROOT / "src").rglob("*.py"),
    *(ROOT / "stages").glob("*.py"),
    *(ROOT / "benchmarks").glob("*.py"),
    ROOT / "docs/reference/generate.py",
]
# Functions named `open` whose files are no text.
_BINARY = ("Image.open", "tarfile.open", "os.open")


def is_text_without_encoding(call: ast.Call) -> bool:
    """Say whether a call opens a text file, or a program's output as text, in the locale's way."""
    function = ast.unparse(call.func)
    keywords = {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}
    if "encoding" in keywords or None in keywords:
        return False
    name = function.split(".")[-1]
    if name in ("open", "fdopen") and function not in _BINARY:
        at = 1 if function in ("open", "os.fdopen") else 0
        mode = ast.unparse(call.args[at]) if len(call.args) > at else keywords.get("mode", "")
        return "b" not in mode
    texts = {keywords.get("text"), keywords.get("universal_newlines")}
    is_method = isinstance(call.func, ast.Attribute)
    is_text_file = is_method and name in ("read_text", "write_text", "TextIOWrapper")
    return is_text_file or "True" in texts


def found_in(code: str) -> list[int]:
    """Return the lines with such calls."""
    calls = (node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call))
    return sorted(call.lineno for call in calls if is_text_without_encoding(call))


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_text_file_has_its_encoding(module: Path) -> None:
    assert not found_in(module.read_text(encoding="utf-8")), "add encoding='utf-8'"


@pytest.mark.parametrize(
    "code",
    [
        "open(path)",
        "open(path, 'w')",
        "path.open(mode='a')",
        "os.fdopen(file, 'w')",
        "(folder / name).read_text()",
        "path.write_text(text, newline='')",
        "subprocess.run(command, text=True)",
    ],
)
def test_a_place_without_is_found(code: str) -> None:
    assert found_in(code) == [1]
    assert not found_in(f"{code[:-1]}, encoding='utf-8')".replace("(,", "("))


@pytest.mark.parametrize("code", ["path.open('rb')", "Image.open(path)", "open(path, 'wb')"])
def test_bytes_have_none(code: str) -> None:
    assert not found_in(code)
