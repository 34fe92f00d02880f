"""README is a newcomer's page: short, narrow, with a table that a script writes."""

from closure import ROOT

LINES = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()


def test_readme_is_one_page() -> None:
    assert len(LINES) <= 150
    assert not [line for line in LINES if len(line) > 110]


def test_readme_has_the_marks_of_its_table_once() -> None:
    marks = [line for line in LINES if line.startswith("<!--")]
    assert marks == ["<!-- results: `make benchmark` -->", "<!-- /results -->"]
