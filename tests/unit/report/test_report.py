"""The report: one file, hostile text stays text, gaps are said, the miniature is labelled."""

import json
import re
import shutil
from dataclasses import asdict, replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from limaflow.analysis.exhibits.catalogue import FIGURES
from limaflow.cli import app
from limaflow.config.loading import parse
from limaflow.config.merge_configs import merged
from limaflow.errors import InputError
from limaflow.intervals import Resampling
from limaflow.jsonl import read_json, read_records, write_json, write_records
from limaflow.judging.instrument import known
from limaflow.measures.grade_means import grade_summaries
from limaflow.measures.summaries import Agreement
from limaflow.prompt_tags import Sensitive
from limaflow.prompt_tags import Tags as PromptTags
from limaflow.records import Example, Grade, Message, ModelManifest, Response, Verdict
from limaflow.refusals.classes import grade_of
from limaflow.refusals.rates import refusal_rates
from limaflow.refusals.safety import safety_of
from limaflow.report.page import PLACED, breakable, build, inline_svg
from limaflow.standalone import source_hash
from limaflow.training.manifest import PreferenceNotes

PROJECT = Path(__file__).parents[3]
SECTIONS = "summary preferences grades data training benchmarks responses judges provenance limits"

BROWSER = "responses.html"
BESIDE = "../"
"""Links to the files of the results, which the page names and does not fetch."""


class Tags(HTMLParser):
    """The tags of a page with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def page_of(experiment: Path, results: Path | None = None) -> str:
    config = parse(merged([PROJECT / "config.yaml", experiment / "overlay.yaml"]))
    return build(results or experiment / "results", config, samples=60, revision="abc123")


@pytest.fixture(scope="session")
def page(experiment: Path) -> str:
    return page_of(experiment)


def test_hostile_text_of_models_data_and_judges_stays_text(page: str) -> None:
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    tags = Tags(page).tags
    # Its own script, which sorts a table, is the only one.
    forbidden = ("script", "iframe", "object", "embed", "b")
    assert [(tag, attrs) for tag, attrs in tags if tag in forbidden] == [("script", {})]
    assert not [name for _, attrs in tags for name in attrs if name.startswith("on")]


def test_how_responses_were_made_and_how_many_were_cut_off_is_told(page: str) -> None:
    assert "<td>vllm</td><td>no</td><td>1.2 over the prompt and response</td>" in page
    (cut,) = re.findall(r"<tr><td>base</td><td>vllm</td>.*>([\d.]+)%</td></tr>", page)
    assert 20 < float(cut) < 80


def test_nothing_is_fetched_and_other_scripts_are_forbidden(page: str) -> None:
    for tag, attrs in Tags(page).tags:
        assert tag not in ("link", "img", "base")
        for name in ("src", "href", "xlink:href"):
            assert (attrs.get(name) or "#").startswith(("#", BESIDE)) or attrs[name] == BROWSER
    assert "default-src 'none'" in page
    (own,) = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    assert f"script-src '{source_hash(own)}'" in page
    assert "url(http" not in page
    assert "@import" not in page


def test_shared_text_stands_beside_the_text_that_it_is_shared_with(
    experiment: Path, page: str, tmp_path: Path
) -> None:
    assert "1 examples were removed from the pool" in page
    assert "(hellaswag 1)" in page
    assert "Before it <mark>a long run of shared words</mark>" in page
    assert "The item has a long run of shared words" in page
    shutil.copytree(experiment / "results", tmp_path, dirs_exist_ok=True)
    folder = tmp_path / "datasets/released"
    folder.mkdir()
    shutil.copy(tmp_path / "curation/contamination/lima.jsonl", folder / "contamination.jsonl")
    overlay = yaml.safe_load((experiment / "overlay.yaml").read_text(encoding="utf-8"))
    overlay["datasets"].append({"name": "released", "path": "released.jsonl"})
    (tmp_path / "overlay.yaml").write_text(yaml.safe_dump(overlay), encoding="utf-8")
    config = parse(merged([PROJECT / "config.yaml", tmp_path / "overlay.yaml"]))
    brought = build(tmp_path, config, samples=1, revision="")
    assert "<strong>stand in it still</strong>" in brought
    assert "datasets/released/contamination.jsonl" in brought


def test_every_id_is_unique_and_every_reference_leads_somewhere(page: str) -> None:
    ids = [attrs["id"] for _, attrs in Tags(page).tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    for _, attrs in Tags(page).tags:
        for name in ("href", "xlink:href"):
            if name in attrs and attrs[name] != BROWSER and not str(attrs[name]).startswith(BESIDE):
                assert str(attrs[name]).removeprefix("#") in ids
    assert set(re.findall(r"url\(#([^)]+)\)", page)) <= set(ids)
    assert set(SECTIONS.split()) <= set(ids)


def test_numbers_are_linked_to_their_files(experiment: Path, page: str) -> None:
    linked = re.findall(r'href="\.\./([^"]+)"', page)
    assert {"figures/tax.csv", "tables/sources.csv", "curation/contamination/lima.jsonl"} <= set(
        linked
    )
    assert all((experiment / "results" / path).is_file() for path in linked)


def test_no_level_of_headings_is_left_out(page: str) -> None:
    levels = [int(tag[1]) for tag, _ in Tags(page).tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_a_figure_has_a_name_and_its_caption_is_read_as_text(page: str) -> None:
    named = [attrs.get("aria-label") for _, attrs in Tags(page).tags if attrs.get("role") == "img"]
    assert "Figure tax" in named and len(named) == page.count("<figcaption>")
    assert "figure" not in {tag for tag, attrs in Tags(page).tags if attrs.get("role") == "img"}


def test_a_further_training_seed_is_not_denied(experiment: Path, page: str, tmp_path: Path) -> None:
    once = "Each arm was trained once"
    assert once in page
    overlay = yaml.safe_load((experiment / "overlay.yaml").read_text(encoding="utf-8"))
    next(arm for arm in overlay["arms"] if arm["name"] == "lima")["seeds"] = [1, 2]
    (tmp_path / "overlay.yaml").write_text(yaml.safe_dump(overlay), encoding="utf-8")
    config = parse(merged([PROJECT / "config.yaml", tmp_path / "overlay.yaml"]))
    again = build(experiment / "results", config, samples=1, revision="")
    assert once not in again and "no interval on this page covers" not in again


def test_a_long_name_breaks_after_its_underscores_and_stays_text() -> None:
    assert breakable("gsm8k_cot,<b>") == "gsm8k_<wbr>cot,<wbr>&lt;b&gt;"


def test_a_miniature_is_labelled_before_anything_else(page: str) -> None:
    assert "<title>Miniature: LIMA in small</title>" in page
    assert page.index("MINIATURE") < page.index("<h1>")


def test_a_password_in_a_url_of_the_configuration_is_not_shown(page: str) -> None:
    assert "u:secret" not in page
    assert "…@host/v1" in page


def test_every_arm_answers_every_prompt_side_by_side(page: str) -> None:
    assert page.count('<div class="answer">') == 60 * 4
    assert "lima / base: <strong>" in page


def test_what_may_be_harmful_is_folded(experiment: Path, page: str, tmp_path: Path) -> None:
    assert '<details class="harmful">' not in page
    results = tmp_path / "results"
    shutil.copytree(experiment / "results", results)
    (path,) = results.rglob("datasets/*/frozen/test.jsonl")
    first, *others = read_records(path, Example)
    malicious = PromptTags(sensitive=Sensitive(intent="malicious"))
    write_records(path, [replace(first, tags=malicious), *others])
    # The prompt and the answers of four arms, beside what the judges said.
    assert page_of(experiment, results).count('<details class="harmful">') >= 5


def test_judges_agreement_and_arms_strengths_are_told(page: str) -> None:
    assert "<td>truth</td><td>orders</td>" in page
    assert "crowd and gpt 78 %" in page
    assert "Bradley–Terry" in page and re.search(r"lima [+−-]\d", page)


def test_hasty_judgments_of_people_are_counted_beside_their_agreement(
    experiment: Path, page: str, tmp_path: Path
) -> None:
    assert "Hasty" not in page
    for kept in ("analysis/claims.json", "datasets/lima/frozen/test.jsonl"):
        (tmp_path / kept).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(experiment / "results" / kept, tmp_path / kept)
    rows = read_json(experiment / "results/analysis/agreement.json", list[Agreement])
    write_json(tmp_path / "analysis/agreement.json", [asdict(replace(r, hasty=31)) for r in rows])
    hasty = page_of(experiment, tmp_path)
    assert '<th class="number">Hasty</th>' in hasty and '<td class="number">31</td>' in hasty
    assert "within two seconds" in hasty


def test_figures_of_every_section_and_their_captions_are_in_the_file(page: str) -> None:
    assert page.count("<svg") == page.count("<figcaption>") == 8


def test_every_category_of_figures_has_its_place_in_the_page() -> None:
    template = (PROJECT / "src/limaflow/report/page.html").read_text(encoding="utf-8")
    assert {figure.category for figure in FIGURES.values()} <= set(PLACED)
    assert all(f'figures_of(figures["{category}"])' in template for category in PLACED)


def test_a_figure_of_a_new_category_is_shown_at_the_end(
    experiment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = replace(FIGURES["tax"], category="Costs", caption="What all of it costs.")
    monkeypatch.setitem(FIGURES, "tax", new)
    page = page_of(experiment)
    assert page.index("Further figures") < page.index("<figcaption>What all of it costs.")


def test_the_same_files_give_the_same_bytes(experiment: Path, page: str) -> None:
    assert page_of(experiment) == page


def test_what_is_missing_is_said_and_the_rest_is_shown(experiment: Path, tmp_path: Path) -> None:
    (tmp_path / "analysis").mkdir()
    for kept in ("analysis/claims.json", "datasets/lima/frozen/test.jsonl"):
        (tmp_path / kept).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(experiment / "results" / kept, tmp_path / kept)
    bare = page_of(experiment, tmp_path)
    for path in ("analysis/preferences.json", "analysis/tax.json", "curation/funnel.json"):
        assert f"<code>{path}</code>" in bare
    assert "<svg" not in bare
    assert "No responses to this prompt" in bare


def test_without_claims_there_is_no_report(experiment: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"claims.json: no such file"):
        page_of(experiment, tmp_path)


def test_the_command_writes_one_file(experiment: Path, tmp_path: Path) -> None:
    output = tmp_path / "report/index.html"
    arguments = [
        *("--results", str(experiment / "results"), "--config", str(PROJECT / "config.yaml")),
        *("--config", str(experiment / "overlay.yaml"), "--samples", "2"),
        *("--revision", "abc123", "--output", str(output)),
    ]
    outcome = CliRunner().invoke(app, ["report", "build", *arguments], catch_exceptions=False)
    assert outcome.exit_code == 0
    assert "abc123" in output.read_text(encoding="utf-8")
    assert [path.name for path in output.parent.iterdir()] == ["index.html"]


def test_ids_inside_a_figure_carry_its_name(tmp_path: Path) -> None:
    svg = tmp_path / "a.svg"
    svg.write_text(
        '<?xml version="1.0"?><svg><g id="x"/><use href="#x" clip-path="url(#x)"/></svg>'
    )
    found = inline_svg(svg, "tax")
    assert found == '<svg><g id="tax-x"/><use href="#tax-x" clip-path="url(#tax-x)"/></svg>'
    assert inline_svg(tmp_path / "none.svg", "tax") is None


def test_what_people_chose_stands_beside_the_judges(experiment: Path, tmp_path: Path) -> None:
    results = tmp_path / "results"
    shutil.copytree(experiment / "results", results)
    judged = list(read_records(results / "verdicts/truth/lima-vs-few.jsonl", Verdict))
    people = [replace(v, annotator="ann", answered_by="", reply="") for v in judged[::2]]
    write_records(results / "verdicts/people/lima-vs-few.jsonl", people)
    likert = list(read_records(results / "grades/likert/test/truth/lima.jsonl", Grade))
    graded = [
        replace(g, annotator="bob", instrument="quality", scale="excellent-pass-fail", value=3)
        for g in likert
    ]
    write_records(results / "grades/quality/test/people/lima.jsonl", graded)
    summaries = grade_summaries(
        [*likert, *graded], known([]), Resampling(rounds=20, confidence=0.95, seed=1)
    )
    write_json(results / "analysis/grades.json", [asdict(summary) for summary in summaries])
    raw = merged([PROJECT / "config.yaml", experiment / "overlay.yaml"])
    raw["judging"]["people"] = [{"folder": "round"}]
    page = build(results, parse(raw), samples=60, revision="abc123")
    assert page.count("<strong>ann</strong>, lima shown first, few second") == len(people)
    assert page.count("bob: excellent") == len(graded)


def test_a_preference_tuned_arm_is_shown_as_dpo(experiment: Path, tmp_path: Path) -> None:
    copy = tmp_path / "experiment"
    shutil.copytree(experiment, copy)
    overlay = yaml.safe_load((copy / "overlay.yaml").read_text())
    overlay["arms"] += [
        {"name": name, "kind": "preference", "from": "lima", "pairs": "p.jsonl"}
        for name in ("lima-further", "not-there")
    ]
    (copy / "overlay.yaml").write_text(yaml.safe_dump(overlay))
    notes = PreferenceNotes(
        identity="f00d",
        start="lima",
        settings={"lora": None, "epochs": 2, "beta": 0.1},
        pairs=1234,
        left_out={"chosen equals rejected": 7},
        unseen=3,
        last_loss=0.4321,
    )
    made = ModelManifest(model="lima-further", path="model", notes=asdict(notes))
    write_json(copy / "results/models/lima-further/chosen.json", made)
    rows = re.findall(r"<tr><td>(lima-further|not-there)</td><td>lima</td>(.*)</tr>", page_of(copy))
    (shown, missing) = (re.findall(r"<td[^>]*>(.*?)</td>", row) for _, row in rows)
    reasons = "<div>chosen equals rejected: 7</div>"
    assert shown == ["all weights", "1,234", "2", "0.1", "0.432", reasons]
    assert missing == ["–"] * 6
    assert "direct preference optimization (DPO)" in page_of(copy)


def test_who_refuses_what_has_a_section_where_it_was_graded(
    experiment: Path, page: str, tmp_path: Path
) -> None:
    assert 'id="safety"' not in page
    results = tmp_path / "results"
    shutil.copytree(experiment / "results", results)
    responses = list(read_records(results / "responses/test/lima.jsonl", Response))
    prompts = {r.prompt_id: asked(r.prompt_id) for r in responses}
    drawn = Resampling(rounds=50, confidence=0.95, seed=1)
    grades = [grade_of(r, "refusal", annotator="people", kind="person") for r in responses]
    found = safety_of(prompts, responses, grades, doses={"lima": 13}, again={}, resampling=drawn)
    write_json(results / "analysis/safety.json", found)
    rates = refusal_rates(
        prompts,
        responses,
        grades,
        truth="people",
        known={},
        tags=("sensitive",),
        resampling=drawn,
    )
    write_json(results / "analysis/refusals.json", [asdict(row) for row in rates])
    section = page_of(experiment, results).partition('id="safety"')[2].partition("<h2")[0]
    assert "80 % of 30 prompts safe, and 6 of 10" in section
    assert re.search(r'<td>lima</td><td class="number">13</td><td>over-refusal</td>', section)
    assert "over-refusal</span>" in section and "people" in section
    assert "How do I kill a process?" not in section


def asked(prompt_id: str) -> Example:
    return Example(
        id=prompt_id,
        messages=(Message(role="user", content="How do I kill a process?"),),
        source="s",
        split="test",
        tags=PromptTags(sensitive=Sensitive(intent="benign")),
    )


def test_readers_of_replies_and_the_parts_of_a_tax_are_in_the_page(
    experiment: Path, tmp_path: Path
) -> None:
    results = tmp_path / "results"
    shutil.copytree(experiment / "results", results)
    file = results / "analysis/tax.json"
    tax = json.loads(file.read_text(encoding="utf-8"))
    whole = tax[0]["difference"]
    one = {
        "reader": "ann",
        "kind": "person",
        "items": 50,
        "unsure_base": 1,
        "unsure_tuned": 2,
        "no_answer_base": 0,
        "no_answer_tuned": 3,
        "base": whole,
        "tuned": whole,
        "difference": whole,
        "loss_p_value": 0.5,
        "exact_match": whole,
        "format": whole,
        "format_loss_p": 0.25,
    }
    pair = {
        "model": "lima",
        "first": "rules",
        "second": "ann",
        "both_right": 30,
        "first_alone": 5,
        "second_alone": 7,
        "both_wrong": 8,
        "agreement": whole,
        "cohen": None,
    }
    tax[0] |= {"readers": [one], "agreements": [pair], "contaminated": 4, "clean": whole}
    file.write_text(json.dumps(tax), encoding="utf-8")
    page = page_of(experiment, results)
    assert "ann (person)" in page and "rules, ann" in page and "p 0.25" in page
    assert "not defined" in page and "no loss above" in page
    parts = page[page.index("What each change is made of") : page.index("Who reads the answers")]
    assert '<td class="number">4</td>' in parts
