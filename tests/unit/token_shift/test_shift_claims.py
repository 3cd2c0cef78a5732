"""Summaries, claims, figure and page of planted ranks: each verdict follows from its rule."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from response_jobs import asking

from limaflow.analysis.claims import Claim, decided
from limaflow.analysis.evidence import Evidence
from limaflow.analysis.exhibits import token_shift as exhibit
from limaflow.analysis.paper import paper
from limaflow.intervals import Resampling
from limaflow.jsonl import read_json, write_json, write_records
from limaflow.prompt_tags import Sensitive, Tags
from limaflow.token_shift.page import page_of
from limaflow.token_shift.shifted_response import ShiftedResponse
from limaflow.token_shift.summaries import Shift, position_bin, summarized

RESAMPLING = Resampling(rounds=300, confidence=0.95, seed=1)


def response(number: int, style: list[int], content: list[int], **changes: Any) -> ShiftedResponse:
    """A response with tokens of these ranks, the tuned model's own first choice each."""
    ranks = [*style, *content]
    values: dict[str, Any] = {
        "prompt_id": asking(f"Question {number}?").id,
        "sample": 0,
        "model": "lima",
        "reference": "base",
        "role": "base",
        "finish_reason": "stop",
        "tokens": list(range(len(ranks))),
        "texts": [" <the>"] * len(style) + [" river"] * len(content),
        "classes": ["style"] * len(style) + ["content"] * len(content),
        "ranks": ranks,
        "own_ranks": [1] * len(ranks),
        "choice_ranks": ranks,
        "log_probabilities": [-0.5] * len(ranks),
        "own_log_probabilities": [-0.25] * len(ranks),
        "divergences": [0.1 * (rank > 1) for rank in ranks],
        "instead": ["" if rank == 1 else " a" for rank in ranks],
    }
    return ShiftedResponse(**{**values, **changes})


def many(style: list[int], content: list[int], prompts: int = 60) -> Shift:
    return summarized([response(n, style, content) for n in range(prompts)], RESAMPLING)


def claim(name: str, shift: Shift | None, **evidence: Any) -> Claim:
    found = decided([], Evidence(lima="lima", token_shift=shift, **evidence), paper())
    return next(one for one in found if one.id == name)


@pytest.mark.parametrize(
    ("style", "content", "unshifted", "is_style"),
    [
        # 4 of 104 are shifted, all of them style.
        ([9] * 4 + [1] * 50, [1] * 50, "supported", "supported"),
        # Half are shifted; all style, no content.
        ([9] * 10, [1] * 10, "contradicted", "supported"),
        ([1] * 10, [9] * 10, "contradicted", "contradicted"),
        # Marginal tokens are not shifted.
        ([3] * 30 + [9] * 4, [2] * 100, "supported", "supported"),
        # As often of both.
        ([9] * 2 + [1] * 8, [9] * 2 + [1] * 8, "contradicted", "undecided"),
        # One in ten.
        ([9] * 2 + [1] * 8, [1] * 10, "undecided", "supported"),
    ],
)
def test_each_verdict_follows_from_planted_ranks(
    style: list[int], content: list[int], unshifted: str, is_style: str
) -> None:
    shift = many(style, content)
    assert claim("token-shift", shift).verdict == unshifted
    assert claim("shifted-is-style", shift).verdict == is_style


def test_too_few_prompts_or_shifted_tokens_decide_nothing() -> None:
    few = many([9] * 10, [1] * 10, prompts=20)
    assert claim("token-shift", few).verdict == "undecided"
    assert "20 of the 30 prompts needed" in claim("token-shift", few).reason
    rare = many([9] + [1] * 50, [1] * 50)
    assert claim("shifted-is-style", rare).verdict == "undecided"
    assert "60 of the 100 items needed" in claim("shifted-is-style", rare).reason


def test_nothing_measured_or_nothing_shifted_is_not_tested() -> None:
    for name in ("token-shift", "shifted-is-style"):
        assert "token_shift.arms" in claim(name, None).reason
        assert claim(name, many([9], [1]), roles={}).verdict != "not tested here"
    nothing = claim("shifted-is-style", many([1] * 5, [1] * 5))
    assert nothing.verdict == "not tested here"
    assert nothing.reason == "no token of style or content is shifted"


def test_other_arms_and_controls_are_no_evidence_and_controls_stand_beside() -> None:
    other = [response(n, [9], [9], model="few") for n in range(60)]
    seeds = [response(n, [9], [1], reference="lima-seed2", role="seed") for n in range(60)]
    base = [response(n, [9], [1] * 3, model="base", role="itself") for n in range(60)]
    own = [response(n, [1], [1] * 9) for n in range(60)]
    assert claim("token-shift", summarized(other, RESAMPLING)).verdict == "not tested here"
    found = claim("token-shift", summarized([*own, *other, *seeds, *base], RESAMPLING))
    assert found.verdict == "supported"
    label = found.measured[0].label
    assert "50.0% in lima-seed2, another training seed" in label
    assert "25.0% of the tokens that base draws itself" in label


def test_sampled_tokens_do_not_count_for_style_and_are_the_floor() -> None:
    shift = summarized(
        [response(n, [9] * 9, [1] * 9, own_ranks=[9] * 9 + [1] * 9) for n in range(60)], RESAMPLING
    )
    whole = shift.summaries[0]
    assert whole.shifted.estimate == whole.floor.estimate == 0.5
    assert whole.beyond_floor.estimate == 0
    assert shift.style[0].shifted == 0
    assert shift.style[0].style_share is None


def test_a_prompt_is_the_unit() -> None:
    # Half of the prompts are shifted as a whole: 60 units, not 600.
    shift = summarized([response(n, [9 if n % 2 else 1] * 10, []) for n in range(60)], RESAMPLING)
    interval = shift.summaries[0].shifted
    assert interval.high - interval.low > 0.2


def test_positions_are_counted_in_powers_of_two() -> None:
    found = [position_bin(place) for place in (0, 1, 2, 3, 4, 7, 8, 15, 16)]
    assert found == ["1", "2", "3–4", "3–4", "5–8", "5–8", "9–16", "9–16", "17–32"]


def test_figure_and_tables_are_drawn_and_a_summary_survives_its_file(tmp_path: Path) -> None:
    shift = many([9] * 4, [1] * 5)
    write_json(tmp_path / "shift.json", shift)
    assert read_json(tmp_path / "shift.json", Shift) == shift
    exhibit.FIGURE.draw(shift, tmp_path / "figure.svg", miniature=True)
    assert "in the base" in (tmp_path / "figure.svg").read_text(encoding="utf-8")
    assert {row["by"] for row in exhibit.rows(shift)} == {"all", "class", "position"}
    assert exhibit.token_rows(shift)[0]["token"] == "<the>"


@pytest.mark.parametrize("most", [1, 30])
def test_the_page_marks_tokens_by_more_than_colour_and_escapes_them(
    tmp_path: Path, most: int
) -> None:
    found = [response(n, [9, 2], [1]) for n in range(3)]
    write_records(tmp_path / "prompts.jsonl", [asking(f"Question {n}?") for n in range(3)])
    shift = summarized(found, RESAMPLING)
    text = page_of("Shift", found, shift, tmp_path / "prompts.jsonl", most=most, seed=1)
    assert text.count('<section class="shown">') == min(most, 3)
    assert f"{min(most, 3)} of 3 responses" in text
    assert '<span class="shifted" title="rank 9 in base (60.7%), 1 in lima (77.9%)' in text
    assert '<span class="marginal" title="rank 2 in base' in text
    assert "&lt;the&gt;" in text
    assert "<the>" not in text
    assert "border-bottom: 3px solid" in text
    assert "border-bottom: 2px dotted" in text
    assert "prefers-color-scheme: dark" in text
    assert "@media print" in text


def test_what_may_be_harmful_is_folded(tmp_path: Path) -> None:
    tags = Tags(sensitive=Sensitive(intent="malicious"))
    prompts = [replace(asking("Burn it?"), tags=tags), asking("Paint it?")]
    found = [replace(response(0, [9], []), prompt_id=prompt.id) for prompt in prompts]
    write_records(tmp_path / "prompts.jsonl", prompts)
    shift = summarized(found, RESAMPLING)
    text = page_of("Shift", found, shift, tmp_path / "prompts.jsonl", most=2, seed=1)
    folded = text.partition('<details class="harmful">')[2]
    assert text.count('class="harmful"') == 1
    assert folded.index("Burn it?") < folded.index("</section>")
