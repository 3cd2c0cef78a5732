"""How the page lies on a phone, a wide screen and paper, in the dark, and for the keyboard."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from limaflow.config.loading import parse
from limaflow.config.merge_configs import merged
from limaflow.report.page import build

PROJECT = Path(__file__).parents[3]
CUT = """
    return [...document.querySelectorAll(".scroll")]
        .filter(box => box.scrollWidth > box.clientWidth + 1).map(box => box.ariaLabel)
"""
UNREACHABLE = """
    return [...document.querySelectorAll("*")].filter(box =>
        box.scrollWidth > box.clientWidth + 1 && box.clientWidth
        && getComputedStyle(box).overflowX === "auto"
        && !(box.tabIndex === 0 && box.ariaLabel)).map(box => box.outerHTML.slice(0, 80))
"""
CAPTIONS = """
    return [...document.querySelectorAll("caption > span")].filter(line => line.offsetHeight)
        .map(line => line.getBoundingClientRect().right)
"""
FIRST_CELL = """
    const box = document.querySelector("[aria-label='Scores and differences']");
    box.scrollLeft = 300;
    const cell = box.querySelector("tbody td").getBoundingClientRect();
    return [box.scrollLeft, cell.left, cell.right];
"""
BROKEN = """
    const range = document.createRange();
    return [...document.querySelectorAll("td.number")].filter(cell => cell.offsetHeight)
        .flatMap(cell => [...cell.childNodes].filter(node => node.nodeType === 3))
        .flatMap(node => [...node.data.matchAll(/[\\d.]+/g)].map(found => {
            range.setStart(node, found.index);
            range.setEnd(node, found.index + found[0].length);
            return [found[0], range.getClientRects().length];
        })).filter(([, lines]) => lines > 1)
"""


@pytest.fixture
def opened(experiment: Path, tmp_path: Path, browser: Any) -> Iterator[Any]:
    results = tmp_path / "results"
    shutil.copytree(experiment / "results", results)
    config = parse(merged([PROJECT / "config.yaml", experiment / "overlay.yaml"]))
    file = tmp_path / "index.html"
    file.write_text(build(results, config, samples=2, revision=""), encoding="utf-8")
    browser.get(file.as_uri())
    yield browser
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": []})


def sized(browser: Any, width: int) -> None:
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)


@pytest.mark.slow
def test_no_table_is_cut_on_a_wide_screen(opened: Any) -> None:
    sized(opened, 1440)
    assert opened.execute_script(CUT) == []
    assert opened.execute_script("return document.documentElement.scrollWidth") <= 1440


@pytest.mark.slow
def test_on_a_phone_captions_and_first_cells_stay_in_view_and_all_is_reached(opened: Any) -> None:
    sized(opened, 390)
    assert opened.execute_script("return document.documentElement.scrollWidth") == 390
    captions = opened.execute_script(CAPTIONS)
    assert captions and max(captions) <= 390
    scrolled, left, right = opened.execute_script(FIRST_CELL)
    assert scrolled > 0 and 0 <= left < right <= 200
    assert opened.execute_script(UNREACHABLE) == []


@pytest.mark.slow
def test_on_paper_no_number_is_broken(opened: Any) -> None:
    opened.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    sized(opened, 680)
    assert opened.execute_script(BROKEN) == []


@pytest.mark.slow
def test_figures_are_dark_in_the_dark(opened: Any) -> None:
    look = "return getComputedStyle(document.querySelector('.drawing')).filter"
    assert opened.execute_script(look) == "none"
    dark = [{"name": "prefers-color-scheme", "value": "dark"}]
    opened.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": dark})
    assert "invert" in opened.execute_script(look)
