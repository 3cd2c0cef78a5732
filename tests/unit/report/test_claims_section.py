"""Claims in the report: both rules, flags, what is set aside, published values, one anchor each."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from limaflow.config.loading import parse
from limaflow.config.merge_configs import merged
from limaflow.report.page import build

PROJECT = Path(__file__).parents[3]


@pytest.fixture
def results(experiment: Path, tmp_path: Path) -> Path:
    for kept in ("analysis/claims.json", "datasets/lima/frozen/test.jsonl"):
        (tmp_path / kept).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(experiment / "results" / kept, tmp_path / kept)
    return tmp_path


def changed(results: Path, claim: str, **changes: Any) -> None:
    path = results / "analysis/claims.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    (row,) = [row for row in content["claims"] if row["id"] == claim]
    row |= changes
    path.write_text(json.dumps(content), encoding="utf-8")


def page_of(experiment: Path, results: Path) -> str:
    config = parse(merged([PROJECT / "config.yaml", experiment / "overlay.yaml"]))
    return build(results, config, samples=1, revision="")


def row_of(page: str, claim: str) -> str:
    (row,) = re.findall(rf'<tr id="claim-{claim}">.*?</tr>', page, flags=re.DOTALL)
    return str(row)


def test_a_flagged_verdict_reads_differently_in_the_table_and_in_the_summary(
    experiment: Path, results: Path
) -> None:
    flags = [{"id": "one-judge", "text": "truth alone judged"}]
    changed(results, "preferred-to-base", verdict="supported", flags=flags)
    changed(results, "preferred-to-in-context", verdict="supported", flags=[])
    page = page_of(experiment, results)
    flagged = row_of(page, "preferred-to-base")
    assert '<span class="badge supported flagged">supported, flagged: one judge</span>' in flagged
    assert "one judge: truth alone judged" in flagged
    plain = row_of(page, "preferred-to-in-context")
    assert '<span class="badge supported">supported</span>' in plain
    summary = page[page.index('id="summary"') :][:900]
    assert re.search(r"supported in this miniature \(\d of them flagged\)", summary)


def test_what_was_set_aside_is_listed_and_not_counted(experiment: Path, results: Path) -> None:
    line = "not tested here: annotated by a program: wins + ties against gpt-4"
    changed(results, "baseline-gpt-4-gpt-4", set_aside=[line])
    page = page_of(experiment, results)
    assert line in row_of(page, "baseline-gpt-4-gpt-4")


def test_both_rules_are_given(experiment: Path, results: Path) -> None:
    changed(results, "order", supported="it is so", contradicted="it is not")
    row = row_of(page_of(experiment, results), "order")
    assert "Supported if it is so." in row
    assert "Contradicted if it is not." in row


def test_published_values_stand_beside_ours_with_n_interval_and_source(
    experiment: Path, results: Path
) -> None:
    row = row_of(page_of(experiment, results), "quantity")
    assert "<strong>60.6 % [57.1, 64.1]</strong> against Instruct" in row
    assert "95 % over prompts, n = 300 prompts" in row
    assert "arXiv 2311.13133" in row and "[D]" in row


def test_the_note_is_corrected_and_leads_to_the_papers_own_claim(
    experiment: Path, results: Path
) -> None:
    row = row_of(page_of(experiment, results), "note-chatgpt")
    assert "From the note that started this project" in row
    assert "<strong>Correction:</strong> 43 % is equal or preferred against GPT-4" in row
    assert 'href="#claim-baseline-gpt-4-humans"' in row


def test_every_claim_has_its_anchor(experiment: Path, results: Path) -> None:
    page = page_of(experiment, results)
    claims = json.loads((results / "analysis/claims.json").read_text(encoding="utf-8"))["claims"]
    anchors = re.findall(r'<tr id="(claim-[^"]+)">', page)
    assert len(anchors) == len(set(anchors)) == len(claims)


def test_an_id_with_spaces_makes_an_anchor(experiment: Path, results: Path) -> None:
    changed(results, "order", id="our order, again")
    assert '<tr id="claim-our-order-again">' in page_of(experiment, results)


@pytest.fixture
def opened(experiment: Path, results: Path, browser: Any) -> Iterator[Any]:
    file = results / "index.html"
    file.write_text(page_of(experiment, results), encoding="utf-8")
    browser.get(file.as_uri())
    yield browser
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


CELLS = """
    return [...document.querySelectorAll(".claims td")].filter(cell => cell.offsetHeight)
        .map(cell => cell.getBoundingClientRect()).map(box => [box.left, box.right])
"""


@pytest.mark.slow
def test_no_cell_of_a_claim_lies_outside_the_screen_of_a_phone(opened: Any) -> None:
    phone = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
    opened.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", phone)
    opened.execute_script("for (const d of document.querySelectorAll('details')) d.open = true")
    cells = opened.execute_script(CELLS)
    assert len(cells) > 100
    assert all(left >= 0 and right <= 390 for left, right in cells)


@pytest.mark.slow
def test_print_opens_what_is_folded_and_cuts_no_table(opened: Any) -> None:
    paper = {"width": 680, "height": 1000, "deviceScaleFactor": 1, "mobile": False}
    opened.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", paper)
    seen = "return document.getElementById('claim-note-chatgpt').checkVisibility()"
    assert not opened.execute_script(seen)
    opened.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    assert opened.execute_script(seen)
    wide = (
        "return [...document.querySelectorAll('table')].map(t => t.getBoundingClientRect().right)"
    )
    assert max(opened.execute_script(wide)) <= 680
