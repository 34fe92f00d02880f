"""Pages in a real headless browser."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
OPTIONS = [
    "--no-sandbox",  # CI may be root
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
]
# Elements that reach out of the window or of their section or hide a part of what they hold, and
# text that reaches out of its figure. Half a pixel is rounding.
CUT_OFF = """() => {
  const out = (inner, outer) =>
    inner.left < outer.left - 0.5 || inner.right > outer.right + 0.5;
  const name = e => `${e.tagName} ${e.className.baseVal ?? e.className} ${e.textContent.trim()}`;
  const window_ = {left: 0, right: innerWidth};
  const wrong = [];
  for (const e of document.querySelectorAll("body *")) {
    const box = e.getBoundingClientRect(), section = e.closest("section");
    if (out(box, window_)) wrong.push("outside: " + name(e));
    if (section && box.width && out(box, section.getBoundingClientRect()))
      wrong.push("out of its section: " + name(e));
    if (e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).overflowX != "visible")
      wrong.push("hidden: " + name(e));
  }
  for (const text of document.querySelectorAll("svg text")) {
    const box = text.getBoundingClientRect(), all = text.closest("svg").getBoundingClientRect();
    if (out(box, all) || box.top < all.top - 0.5 || box.bottom > all.bottom + 0.5)
      wrong.push("out of its figure: " + name(text));
  }
  return wrong;
}"""


@contextmanager
def launched() -> Iterator[Browser]:
    """Start Chromium for the block; without one the test is skipped."""
    if not CHROMIUM:
        pytest.skip("no Chromium: apt-get install chromium")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        yield opened
        opened.close()


def opened(browser: Browser, path: Path, width: int, scheme: str) -> tuple[Page, list[str]]:
    """Open a page with everything unfolded; return it and what it asked for or complained of."""
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    noted: list[str] = []
    page.on("console", lambda message: noted.append(f"console: {message.text}"))
    page.on("pageerror", lambda error: noted.append(f"error: {error}"))
    page.on("request", lambda request: noted.append(request.url[:100]))
    page.goto(path.as_uri())
    page.evaluate("document.querySelectorAll('details').forEach(part => part.open = true)")
    return page, noted


def assert_whole(browser: Browser, path: Path, width: int, scheme: str) -> None:
    """Assert that a page fits a window of that width, and neither complains nor fetches."""
    page, noted = opened(browser, path, width, scheme)
    assert [note for note in noted if not note.startswith("data:")] == [path.as_uri()]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(CUT_OFF) == []
    page.close()
