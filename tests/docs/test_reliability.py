"""The table of docs/reliability.md is what the tests of faults say."""

from pathlib import Path

import pytest

from reference import faults

FAULT = 'from os import *\n@pytest.mark.fault("the | disk", "a line")\ndef test_it(): ...\n'


def test_the_table_is_current() -> None:
    committed = faults.PAGE.read_text(encoding="utf-8")
    written = faults.with_table(committed, faults.faults())
    assert committed == written, "docs/reliability.md is of before: `make docs`"


def test_a_marker_is_a_row(tmp_path: Path) -> None:
    (tmp_path / "test_some.py").write_text(FAULT + "def test_more(): ...\n")
    page = faults.with_table(f"prose\n{faults.NOTE}old", faults.faults(tmp_path))
    assert page.startswith(f"prose\n{faults.NOTE}\n| fault |")
    assert page.endswith("|\n| the \\| disk | a line | `test_some.py::test_it` |\n")


@pytest.mark.parametrize(
    "faulty",
    [
        FAULT.replace('"a line"', "LINE"),
        FAULT.replace('"a line"', '"a line", "more"'),
        FAULT.replace('"a line"', 'then="a line"'),
    ],
)
def test_a_marker_without_two_literals_is_named(faulty: str, tmp_path: Path) -> None:
    (tmp_path / "test_some.py").write_text(faulty)
    with pytest.raises(ValueError, match=r"test_some.py::test_it: .*fault"):
        list(faults.faults(tmp_path))


def test_a_page_without_its_note_is_refused() -> None:
    with pytest.raises(ValueError, match="lacks its line"):
        faults.with_table("prose\n", iter(()))
