"""Links between pages lead somewhere, and every page of docs/ is reached from README."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from closure import ROOT
from documents import PAGES, anchors, links, name_of


def target(page: Path, link: str) -> Path:
    """Return the file that a relative link leads to; without a path, the page itself."""
    path = unquote(urlsplit(link).path)
    return (page.parent / path).resolve() if path else page


def relative_links(page: Path) -> list[str]:
    return [link for link in links(page) if not urlsplit(link).scheme]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_relative_links_resolve(page: Path) -> None:
    for link in relative_links(page):
        found = target(page, link)
        assert found.exists(), f"{name_of(page)}: {link} leads nowhere"
        assert found.is_relative_to(ROOT), f"{name_of(page)}: {link} leads out of the project"
        if anchor := urlsplit(link).fragment:
            assert anchor in anchors(found), f"{name_of(page)}: {link}: no such heading"


def test_every_page_is_reached_from_readme() -> None:
    reached: set[Path] = set()
    waiting = [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page not in reached and page.suffix == ".md":
            reached.add(page)
            waiting += [target(page, link) for link in relative_links(page)]
    assert {name_of(page) for page in PAGES} == {name_of(page) for page in reached}
