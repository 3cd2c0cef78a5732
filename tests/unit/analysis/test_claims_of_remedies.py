"""DPO after LIMA, the aligned sibling and averages: each verdict on planted differences."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from planted_summaries import preference, tax

from limaflow.analysis.claims import Claim, decided
from limaflow.analysis.evidence import Evidence
from limaflow.analysis.paper import paper
from limaflow.analysis.roles import roles_of
from limaflow.config.loading import parse
from limaflow.config.merge_configs import merged
from limaflow.intervals import Interval
from limaflow.measures.summaries import Split, TaskTax

ROLES = {
    "base": ["base"],
    "preference": ["lima-dpo"],
    "aligned_sibling": ["chat"],
    "average": ["half"],
}
GAIN = preference("lima", "base", 0.7)
LOSS = (-0.08, -0.04)


def claim(name: str, **evidence: Any) -> Claim:
    found = decided([], Evidence(lima="lima", roles=ROLES, **evidence), paper())
    return next(one for one in found if one.id == name)


def two(low: float, high: float, arm: str, items: int = 1000) -> list[TaskTax]:
    return [tax(low, high, arm=arm, items=items, task=task) for task in ("t", "u")]


def from_base(arm: str, items: int = 1000, lima: tuple[float, float] = LOSS) -> list[TaskTax]:
    return [*two(*lima, "lima", items), *two(-0.1, 0.1, arm, items)]


@pytest.mark.parametrize(
    ("win", "verdict"), [(0.6, "supported"), (0.2, "contradicted"), (0.41, "undecided")]
)
def test_dpo_adds_gain_where_its_answers_beat_limas(win: float, verdict: str) -> None:
    found = claim("preference-after-lima", preferences=[preference("lima-dpo", "lima", win)])
    assert found.verdict == verdict
    assert found.measured[0].interval.estimate == pytest.approx(win + 0.1)
    other = claim("preference-after-lima", preferences=[preference("lima", "lima-dpo", 0.8 - win)])
    assert other.verdict == verdict


def test_dpo_is_not_tested_without_its_comparison_nor_decided_by_few_prompts() -> None:
    assert claim("preference-after-lima", preferences=[GAIN]).verdict == "not tested here"
    few = preference("lima-dpo", "lima", 0.6, prompts=10)
    assert claim("preference-after-lima", preferences=[few]).verdict == "undecided"


def sibling(low: float, high: float, items: int = 1000) -> Claim:
    return claim(
        "sibling-tax", tax=from_base("chat", items), tax_from_lima=two(low, high, "chat", items)
    )


def test_the_sibling_pays_more_where_it_loses_to_lima_on_the_same_items() -> None:
    assert sibling(-0.05, -0.01).verdict == "supported"
    assert sibling(0.01, 0.05).verdict == "contradicted"
    assert sibling(-0.03, 0.02).verdict == "undecided"
    assert "chat minus lima" in sibling(-0.05, -0.01).measured[0].label


def test_few_items_one_task_or_no_measurement_decide_no_sibling() -> None:
    assert sibling(-0.05, -0.01, items=50).verdict == "undecided"
    assert claim("sibling-tax", tax=from_base("chat")).verdict == "not tested here"
    one = [tax(-0.05, -0.01, arm="chat")]
    assert claim("sibling-tax", tax=from_base("chat"), tax_from_lima=one).verdict == "undecided"


def test_a_contaminated_task_decides_nothing_of_a_sibling() -> None:
    rows = [*two(-0.05, -0.01, "chat"), tax(0.9, 0.95, arm="chat", task="dirty")]
    known = from_base("chat") + [tax(*LOSS, arm=a, task="dirty") for a in ("lima", "chat")]
    found = claim("sibling-tax", tax=known, tax_from_lima=rows, contaminated=frozenset({"dirty"}))
    assert found.verdict == "supported"


def averaged(
    win: float,
    returned: tuple[float, float],
    *,
    gain: float = 0.7,
    half: float = 0.05,
    lima: tuple[float, float] = LOSS,
    rows: Sequence[TaskTax] | None = None,
) -> Claim:
    return claim(
        "weight-averaging",
        preferences=[preference("lima", "base", gain), preference("half", "lima", win, half=half)],
        tax=from_base("half", lima=lima),
        tax_from_lima=two(*returned, "half") if rows is None else rows,
    )


def test_averaging_holds_where_answers_stay_as_good_and_scores_rise() -> None:
    assert averaged(0.4, (0.02, 0.06)).verdict == "supported"
    assert averaged(0.2, (0.02, 0.06)).verdict == "contradicted"  # the gain is lost
    assert averaged(0.4, (-0.06, -0.02)).verdict == "contradicted"  # more is lost
    assert averaged(0.4, (-0.02, 0.04)).verdict == "undecided"
    assert averaged(0.4, (0.02, 0.06), half=0.15).verdict == "undecided"


def test_averaging_is_not_tested_where_nothing_was_gained_or_nothing_lost() -> None:
    nothing_gained = averaged(0.4, (0.02, 0.06), gain=0.4)
    assert nothing_gained.verdict == "not tested here"
    assert "no sure gain of lima" in nothing_gained.reason
    nothing_lost = averaged(0.4, (0.02, 0.06), lima=(-0.03, 0.02))
    assert nothing_lost.verdict == "not tested here"
    assert "no sure loss of knowledge of lima" in nothing_lost.reason


def test_what_format_alone_returns_is_no_knowledge() -> None:
    split = Split(
        unread_base=300,
        unread_tuned=0,
        read_in_both=700,
        format=Interval(0.04, 0.02, 0.06),
        knowledge=Interval(0.0, -0.02, 0.02),
        lenient=None,
        guessed=None,
    )
    rows = [replace(row, split=split) for row in two(0.02, 0.06, "half")]
    assert averaged(0.4, (0.02, 0.06), rows=rows).verdict == "undecided"


def test_roles_follow_from_the_configuration(root: Path) -> None:
    raw = merged([root / "config.yaml", root / "experiments/miniature.yaml"])
    arms = [
        {"name": "chat", "kind": "model", "path": "someone/chat", "role": "aligned_sibling"},
        {"name": "own", "kind": "model", "path": "someone/own"},
        {"name": "dpo", "kind": "preference", "pairs": "p.jsonl"},
        {"name": "few-dpo", "kind": "preference", "pairs": "p.jsonl", "from": "few"},
        {"name": "mix", "kind": "average", "of": "lima", "alpha": [0.2, 0.4, 0.6, 1]},
        {"name": "dpo-mix", "kind": "average", "of": "dpo", "alpha": 0.5},
    ]
    found = roles_of(parse({**raw, "arms": [*raw["arms"], *arms]}))
    assert found["aligned_sibling"] == ["chat"]
    assert found["preference"] == ["dpo"]
    assert found["average"] == ["mix-60"]
    assert found["base"] == ["base"] and found["in-context"] == ["base-in-context"]
