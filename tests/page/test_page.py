"""The page of results in a real browser, and as bytes."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from browsing import CUT_OFF, assert_whole, launched, opened
from cifar_pipeline.metrics.registry import METRICS
from workspace import Workspace


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launched() as chromium:
        yield chromium


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 400, 1400])
def test_nothing_is_cut_off_or_fetched(
    browser: Browser, finished_workspace: Workspace, width: int, scheme: str
) -> None:
    assert_whole(browser, finished_workspace.folder / "reports/index.html", width, scheme)


def test_what_is_cut_off_would_be_found(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text(
        "<!doctype html><body><p style='width: 500px'>wide</p>"
        "<p style='overflow: hidden; width: 50px; white-space: nowrap'>a line that is too long</p>"
        "<section style='width: 90px'><p style='width: 100px'>broad</p></section>"
        "<svg width='50' height='20'><text x='30' y='15'>too long</text></svg>"
        "<script>console.error('no')</script><img src='http://127.0.0.1:9/x.png'>"
    )
    page, noted = opened(browser, path, 400, "light")
    found = page.evaluate(CUT_OFF)
    for kind in (
        "outside: P  wide",
        "hidden: P  a line",
        "out of its section: P  broad",
        "out of its figure: text  too long",
    ):
        assert any(note.startswith(kind) for note in found), (kind, found)
    assert "console: no" in noted
    assert "http://127.0.0.1:9/x.png" in noted
    page.close()


def test_dark_and_light_differ_and_can_be_read(
    browser: Browser, finished_workspace: Workspace
) -> None:
    path = finished_workspace.folder / "reports/index.html"
    contrasts = []
    for scheme in ("light", "dark"):
        page, _ = opened(browser, path, 1400, scheme)
        ink, paper = (
            sum(map(int, re.findall(r"\d+", page.evaluate(colour))[:3]))
            for colour in (
                "getComputedStyle(document.querySelector('section h2')).color",
                "getComputedStyle(document.querySelector('section')).backgroundColor",
            )
        )
        contrasts.append(paper - ink)
        page.close()
    light, dark = contrasts
    assert light > 500
    assert dark < -500


def test_the_page_tells_what_the_metrics_say(finished_workspace: Workspace) -> None:
    page = finished_workspace.read("reports/index.html").decode()
    card = finished_workspace.read("models/model_card.md").decode()
    metrics = json.loads(finished_workspace.read("reports/test_metrics.json"))
    by_key = {metric.key: metric for metric in METRICS}
    for part in ("test", "test_temperature_scaled"):
        for name, value in metrics[part].items():
            shown = f"{value:.3f}" if name == "temperature" else by_key[name].shown(value)
            assert shown in page, name
            assert shown in card, name
    manifest = json.loads(finished_workspace.read("data/processed/manifest.json"))
    for digest in manifest.values():
        assert digest in page
    assert "filters: 8" in page
    assert "CIFAR-10" in card


def test_the_page_needs_nothing_else(finished_workspace: Workspace) -> None:
    page = finished_workspace.read("reports/index.html").decode()
    assert not re.findall(r"(?:src|href)=\"(?!data:|#)[^\"]*", page)
    assert "url(http" not in page
    assert "<script" not in page


def test_evaluate_again_leaves_the_same_bytes(workspace: Workspace) -> None:
    names = ("reports/index.html", "models/model_card.md")
    before = {name: workspace.read(name) for name in names}
    workspace.run("dvc", "repro", "--force", "--single-item", "evaluate")
    assert {name: workspace.read(name) for name in names} == before
