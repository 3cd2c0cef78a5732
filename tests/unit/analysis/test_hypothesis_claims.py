"""The claims of the superficial alignment hypothesis: each verdict on planted grades.

Planted: a base graded 1, the LIMA arm 5, and arms between them, on 60 prompts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from limaflow.analysis.arm_facts import ArmFacts
from limaflow.analysis.claims import Claim, decided
from limaflow.analysis.decision_rules import any_of, for_one_of_several
from limaflow.analysis.evidence import Evidence
from limaflow.analysis.exhibit import Options
from limaflow.analysis.exhibits import bits
from limaflow.analysis.gain import shares_of_gain
from limaflow.analysis.paper import paper
from limaflow.intervals import Interval, Resampling
from limaflow.jsonl import write_json, write_records
from limaflow.judging.instrument import known
from limaflow.measures.grade_means import grade_summaries
from limaflow.measures.preferences import preferences
from limaflow.measures.summaries import TaskTax
from limaflow.records import Grade, ModelManifest, Verdict

PROMPTS = 60
RESAMPLING = Resampling(rounds=300, confidence=0.95, seed=1)
MEANS = {"base": 1.2, "lima": 5.0}


def grades(prompts: int = PROMPTS, **means: float) -> list[Grade]:
    """Grades from 1 to 6 around these means, of the arms by name (`_` for a hyphen)."""
    draw = np.random.default_rng(7)
    return [
        Grade(
            prompt_id=f"p{n}",
            sample=0,
            annotator="j",
            annotator_kind="model",
            model=arm.replace("_", "-"),
            response_id=f"{arm}{n}",
            instrument="likert",
            scale="likert-6",
            value=int(np.clip(round(mean + draw.normal(0, 0.6)), 1, 6)),
        )
        for arm, mean in {**MEANS, **means}.items()
        for n in range(prompts)
    ]


def trained(examples: int, steps: int = 195, **more: Any) -> ArmFacts:
    return ArmFacts(examples=examples, steps=steps, still_falling=0.0, seeds=5, **more)


def claim(
    name: str,
    given: Sequence[Grade] = (),
    *,
    facts: Mapping[str, ArmFacts] | None = None,
    roles: Mapping[str, Sequence[str]] | None = None,
    **evidence: Any,
) -> Claim:
    found = Evidence(
        lima="lima",
        roles={"base": ["base"], **(roles or {})},
        arms={"lima": trained(400), **(facts or {})},
        grades=given,
        graded=grade_summaries(given, known(()), RESAMPLING) if given else [],
        rounds=300,
        **evidence,
    )
    return next(c for c in decided((), found, paper()) if c.id == name)


# -- Stopping ----------------------------------------------------------------------------------
def against(arm: str, wins: int, prompts: int = PROMPTS) -> Any:
    verdicts = [
        Verdict(
            prompt_id=f"p{n}",
            sample=0,
            annotator="j",
            annotator_kind="model",
            first="lima",
            second=arm,
            first_response_id=f"l{n}",
            second_response_id=f"{arm}{n}",
            choice="first" if n < wins else "second",
        )
        for n in range(prompts)
    ]
    (found,) = preferences(
        verdicts, rule="strict", resampling=RESAMPLING, comparison=f"lima-vs-{arm}"
    )
    return found


CUT = {"cut-base": ["cut"]}


@pytest.mark.parametrize(
    ("wins", "verdict"), [(55, "supported"), (32, "undecided"), (5, "contradicted")]
)
def test_tuning_does_more_than_stop_where_it_wins_against_the_cut_base(
    wins: int, verdict: str
) -> None:
    found = claim("more-than-stopping", roles=CUT, preferences=[against("cut", wins)])
    assert found.verdict == verdict


def test_three_prompts_buy_no_verdict() -> None:
    found = claim("more-than-stopping", roles=CUT, preferences=[against("cut", 3, 3)])
    assert found.verdict == "undecided"
    assert "3 of the 30 prompts needed" in found.reason


def test_the_preference_to_the_base_says_how_much_of_it_is_stopping_and_decides_without_it() -> (
    None
):
    wins = [against("base", 58), against("cut", 30)]
    found = claim("preferred-to-base", grades(cut=3.1), roles=CUT, preferences=wins)
    assert found.verdict == "supported"
    alone, beside, share = found.measured
    assert (alone.decision, beside.decision) == ("supported", "no part of the verdict")
    assert "that is stopping: cut" in share.label
    assert share.interval.low < 0.5 < share.interval.high
    without = claim("preferred-to-base", preferences=wins[:1])
    assert (without.verdict, len(without.measured)) == ("supported", 1)


# -- Quantity ----------------------------------------------------------------------------------
FEW = {"ablation": ["few", "fewer"]}


@pytest.mark.parametrize(
    ("few", "fewer", "verdict"),
    [(4.5, 1.5, "supported"), (3.1, 1.5, "undecided"), (2.0, 1.5, "contradicted")],
)
def test_few_examples_unlock_most_of_the_gain_where_one_arm_of_a_quarter_does(
    few: float, fewer: float, verdict: str
) -> None:
    facts = {"few": trained(100), "fewer": trained(25)}
    found = claim("few-unlock-most", grades(few=few, fewer=fewer), facts=facts, roles=FEW)
    assert found.verdict == verdict
    assert "few (100 examples)" in found.measured[0].label
    assert "interval for one of 2" in found.measured[0].label


def test_an_arm_with_fewer_steps_or_with_half_of_the_examples_decides_nothing_of_few() -> None:
    shorter = {"few": trained(100, steps=49), "fewer": trained(200)}
    found = claim("few-unlock-most", grades(few=2, fewer=2), facts=shorter, roles=FEW)
    assert (found.verdict, len(found.measured)) == ("undecided", 1)
    assert "optimizer steps differ (lima 195, few 49)" in found.reason


def test_there_is_no_share_of_a_gain_that_is_not_sure() -> None:
    same = [replace(g, model="lima") for g in grades() if g.model == "base"]
    base = [g for g in grades(few=3) if g.model in ("base", "few")]
    found = claim("few-unlock-most", [*base, *same], facts={"few": trained(9)}, roles=FEW)
    assert found.verdict == "not tested here"
    assert "is not surely above 0" in found.reason


@pytest.mark.parametrize(
    ("other", "examples", "verdict"),
    [
        (5.3, 100, "supported"),
        (4.75, 100, "undecided"),
        (3.0, 100, "contradicted"),
        # Of an arm with more examples than the LIMA arm the sign is the other way round.
        (3.0, 1600, "supported"),
        (6.0, 1600, "contradicted"),
    ],
)
def test_more_examples_do_not_help_where_the_larger_set_gains_less_than_the_margin(
    other: float, examples: int, verdict: str
) -> None:
    found = claim(
        "more-do-not-help",
        grades(few=other),
        facts={"few": trained(examples)},
        roles={"ablation": ["few"]},
    )
    assert found.verdict == verdict
    more = "lima (400 examples) minus few (100)" if examples == 100 else "few (1,600 examples)"
    assert more in found.measured[0].label


# -- In context, responses alone, the longest, adapters ------------------------------------------
@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("in-context-does-as-well", "in-context"),
        ("responses-alone", "responses"),
        ("longest-examples", "longest"),
    ],
)
@pytest.mark.parametrize(
    ("other", "verdict"), [(5.2, "supported"), (4.75, "undecided"), (3.0, "contradicted")]
)
def test_an_arm_does_as_well_where_lima_is_not_better_by_half_the_effect_of_filtering(
    name: str, role: str, other: float, verdict: str
) -> None:
    facts = {} if role == "in-context" else {"other": trained(400)}
    found = claim(name, grades(other=other), facts=facts, roles={role: ["other"]})
    assert found.verdict == verdict


def test_one_base_with_examples_in_its_prompt_is_enough_and_only_all_contradict() -> None:
    both = {"in-context": ["one", "three"]}
    name = "in-context-does-as-well"
    assert claim(name, grades(one=2, three=5.3), roles=both).verdict == "supported"
    assert claim(name, grades(one=2, three=4.75), roles=both).verdict == "undecided"
    assert claim(name, grades(one=2, three=2.5), roles=both).verdict == "contradicted"


@pytest.mark.parametrize(
    ("other", "kilobytes", "verdict"),
    [
        (4.6, 29.0, "supported"),
        (3.1, 29.0, "undecided"),
        (1.5, 29.0, "contradicted"),
        (4.6, 5000.0, "not tested here"),
    ],
)
def test_a_small_adapter_is_enough_where_it_reaches_more_than_half_of_the_gain(
    other: float, kilobytes: float, verdict: str
) -> None:
    found = claim(
        "small-adapters",
        grades(lora=other),
        facts={"lora": trained(400, kilobytes=kilobytes)},
        roles={"adapted": ["lora"]},
    )
    assert found.verdict == verdict
    if found.measured:
        assert "an adapter of 29 kB" in found.measured[0].label


# -- Knowledge ---------------------------------------------------------------------------------
def taught(low: float, high: float, items: int = 80, arm: str = "taught") -> TaskTax:
    even = Interval(0.2, 0.1, 0.3)
    return TaskTax(
        task="new-facts",
        metric="acc",
        arm=arm,
        base=even,
        tuned=even,
        difference=Interval((low + high) / 2, low, high),
        items=items,
        loss_p_value=0.5,
    )


@pytest.mark.parametrize(
    ("row", "verdict"),
    [
        (taught(-0.04, 0.03), "supported"),
        (taught(-0.02, 0.2), "undecided"),
        (taught(0.2, 0.5), "contradicted"),
        (taught(0.2, 0.5, items=60), "undecided"),
        (taught(0.2, 0.5, arm="lima"), "not tested here"),
    ],
)
def test_knowledge_is_not_taught_where_the_facts_of_the_examples_are_not_learnt(
    row: TaskTax, verdict: str
) -> None:
    found = claim("knowledge-is-not-taught", tax=[row], teaches={"taught": ["new-facts"]})
    assert found.verdict == verdict


# -- The rules themselves ------------------------------------------------------------------------
def test_one_of_several_numbers_supports_and_only_all_contradict() -> None:
    assert any_of(["supported", "contradicted"]) == "supported"
    assert any_of(["undecided", "contradicted"]) == "undecided"
    assert any_of(["contradicted", "contradicted"]) == "contradicted"
    assert any_of([]) == "undecided"


def test_the_best_of_many_equal_arms_is_seldom_called_better() -> None:
    """Bonferroni: of arms that are all at the bound, one passes in 2.5 % of studies at most."""
    draw = np.random.default_rng(3)
    estimates = draw.normal(0, 1, (4000, 5))
    half = 1.96
    passed = 0
    for row in estimates:
        wide = [
            for_one_of_several(Interval(x, x - half, x + half), 5, confidence=0.95) for x in row
        ]
        passed += any(interval.low > 0 for interval in wide)
    assert 0.015 < passed / 4000 < 0.03


def test_the_share_of_a_gain_covers_the_truth() -> None:
    """An arm that reaches half of a gain of two grades: its interval holds ½ about as often as it
    says."""
    draw = np.random.default_rng(5)
    held = 0
    for study in range(200):
        base = draw.integers(1, 3, 40)
        rows = [
            Grade(
                prompt_id=f"p{n}", sample=0, annotator="j", model=arm, response_id="r",
                instrument="likert", scale="likert-6", value=int(base[n] + shift[n]),
            )
            for arm, shift in (
                ("base", np.zeros(40)),
                ("lima", draw.integers(1, 4, 40)),
                ("half", draw.integers(0, 3, 40)),
            )
            for n in range(40)
        ]  # fmt: skip
        (share,) = shares_of_gain(
            rows,
            lima="lima",
            base="base",
            arms=["half"],
            span=5,
            resampling=replace(RESAMPLING, seed=study),
        )
        assert share.share is not None
        held += share.share.low <= 0.5 <= share.share.high
    assert 0.9 <= held / 200 <= 0.99


# -- Bits of alignment ---------------------------------------------------------------------------
def test_the_figure_of_adapters_sets_their_share_of_the_gain_against_their_size(
    tmp_path: Path,
) -> None:
    given = grades(lora_1=3.1, lora_16=4.6)
    files: dict[str, list[Path]] = {"base": [], "grades": [], "adapted": []}
    for arm in ("base", "lima", "lora-1", "lora-16"):
        path = tmp_path / f"{arm}.jsonl"
        write_records(path, [g for g in given if g.model == arm])
        files["base" if arm == "base" else "grades"].append(path)
    for arm, size in (("lora-1", 29_184), ("lora-16", 466_944)):
        files["adapted"].append(tmp_path / f"{arm}.json")
        notes = {"adapter_bytes": size, "adapter_values": size // 4}
        write_json(files["adapted"][-1], ModelManifest(model=arm, path="m", notes=notes))
    files["graded"] = [tmp_path / "grades.json"]
    write_json(
        files["graded"][0], [asdict(row) for row in grade_summaries(given, known(()), RESAMPLING)]
    )
    data = bits.read(files, Options(lima="lima", rounds=300, confidence=0.95, seed=1))
    small, large = bits.rows(data)
    assert (small["arm"], small["bits"], small["trained_values"]) == ("lora-1", 233_472, 7296)
    low, high, least = (
        float(str(row[key]))
        for row, key in (
            (small, "share_of_gain_low"),
            (small, "share_of_gain_high"),
            (large, "share_of_gain_low"),
        )
    )
    assert low < 0.5 < high
    assert least > 0.75
    bits.draw(data, tmp_path / "bits.svg", miniature=True)
    drawn = (tmp_path / "bits.svg").read_text(encoding="utf-8")
    assert "lora-16" in drawn and "LIMA arm" in drawn
    assert ">100<" in drawn and "mathdefault" not in drawn
    second = [replace(one, reached=replace(one.reached, judge="people")) for one in data]
    bits.draw([*data, *second], tmp_path / "two.svg", miniature=True)
    two = (tmp_path / "two.svg").read_text(encoding="utf-8")
    assert two.count(">lora-16<") == 1 and "judge people" in two
    bits.draw([replace(one, kilobytes=None) for one in data], tmp_path / "none.svg", miniature=True)
    assert "no graded arm" in (tmp_path / "none.svg").read_text(encoding="utf-8")
