"""Write the table at the end of docs/reliability.md (`make docs`).

A row is a marker of a test: `@pytest.mark.fault("the fault", "what happens then")`; a test without
one makes no row. The tests are read, not imported. What stands before the table is written by hand.
"""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
TESTS = ROOT / "tests/faults"
PAGE = ROOT / "docs/reliability.md"
NOTE = "<!-- From here on written by `make docs`, from the markers of tests/faults/. -->\n"


class Fault(NamedTuple):
    """A row of the table."""

    what: str
    then: str
    test: str


def faults(folder: Path = TESTS) -> Iterator[Fault]:
    """Yield the faults that the tests in `folder` try, file by file, as they stand there.

    Raises:
        ValueError: a marker is not two literal strings.
    """
    for file in sorted(folder.glob("test_*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                yield from _of_test(node, file.name)


def _of_test(test: ast.FunctionDef, file: str) -> Iterator[Fault]:
    place = f"{file}::{test.name}"
    calls = [
        node
        for decorator in test.decorator_list
        for node in ast.walk(decorator)  # a case of parametrize may have a marker of its own
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.fault"
    ]
    for call in calls:
        words = [each.value for each in call.args if isinstance(each, ast.Constant)]
        match words:
            case [str(what), str(then)] if len(call.args) == 2 and not call.keywords:
                yield Fault(what, then, place)
            case _:
                raise ValueError(f"{place}: pytest.mark.fault takes two literal strings")


def with_table(page: str, rows: Iterator[Fault]) -> str:
    """Return the text of the page with a table of `rows` behind its note."""
    prose, note, _ = page.partition(NOTE)
    if not note:
        raise ValueError(f"{PAGE.name} lacks its line {NOTE.strip()}")
    cells = [("fault", "what happens", "test in `tests/faults/`"), ("---", "---", "---")]
    cells += [(row.what, row.then, f"`{row.test}`") for row in rows]
    lines = (" | ".join(cell.replace("|", r"\|") for cell in row) for row in cells)
    return f"{prose}{note}\n" + "".join(f"| {line} |\n" for line in lines)


def main() -> None:
    """Write the page."""
    page = with_table(PAGE.read_text(encoding="utf-8"), faults())
    PAGE.write_text(page, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
