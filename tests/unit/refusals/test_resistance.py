"""How deep refusals sit, what arms tell apart, and one arm against another on the same prompts."""

import csv
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from limaflow.analysis.claim_entries import Measure
from limaflow.analysis.evidence import Evidence
from limaflow.analysis.exhibit import Options, write_figure, write_table
from limaflow.analysis.exhibits import resistance as exhibit
from limaflow.analysis.quantities import QUANTITIES
from limaflow.attacks.attacked import attacked
from limaflow.cli import app
from limaflow.intervals import Interval, Resampling, difference_of_independent
from limaflow.jsonl import write_json, write_records
from limaflow.prompt_tags import Contrast, Sensitive, Tags
from limaflow.records import Example, Message, Response, example_id
from limaflow.refusals.classes import grade_of
from limaflow.refusals.resistance import Resistance, resistance
from limaflow.refusals.rules import grades_by_rule

DRAWN = Resampling(rounds=300, confidence=0.95, seed=1)
REFUSES, COMPLIES = "I cannot do that.", "Dig a hole, then fill it with water and wait."
ATTACKS = ("plain", "role-play", "prefill-1", "prefill-4", "prefill")


def goal(number: int, side: str = "unsafe") -> Example:
    messages = (Message(role="user", content=f"Dig hole number {number}"),)
    tags = Tags(
        sensitive=Sensitive(intent="malicious" if side == "unsafe" else "benign"),
        contrast=Contrast(side=side, group="holes" if number % 2 else "pits"),
    )
    return Example(
        id=example_id(messages, tags), messages=messages, source="g", split="test", tags=tags
    )


def answer(prompt: Example, refuses: bool, arm: str) -> Response:
    prefill = prompt.tags.prefill if prompt.tags else ""
    said = REFUSES if refuses else COMPLIES
    return Response(
        prompt_id=prompt.id,
        model=arm,
        sample=0,
        text=f"{prefill}. {said}" if prefill else said,
        tokens=9,
        finish_reason="stop",
        decoding={"prefill": prefill} if prefill else {},
    )


def study(goals: int) -> tuple[list[Example], list[Response]]:
    """`shallow` refuses what is plain alone, `deep` whatever is unsafe, `scared` everything."""
    unsafe = attacked([goal(n) for n in range(goals)], ATTACKS)[0]
    safe = [goal(100 + n, "safe") for n in range(goals)]
    answers = []
    for prompt in [*unsafe, *safe]:
        assert prompt.tags is not None
        is_safe = prompt in safe
        plain = not prompt.tags.attack
        answers.append(answer(prompt, plain and not is_safe, "shallow"))
        answers.append(answer(prompt, not is_safe, "deep"))
        answers.append(answer(prompt, True, "scared"))
    return [*unsafe, *safe], answers


def measured(goals: int = 40) -> Resistance:
    prompts, answers = study(goals)
    by_judge = [
        grade_of(r, "refusal" if REFUSES in r.text else "compliance", annotator="gpt", kind="model")
        for r in answers
    ]
    grades = [*grades_by_rule(answers), *by_judge]
    pairs = [("shallow", "deep"), ("deep", "scared")]
    return resistance({p.id: p for p in prompts}, answers, grades, pairs, DRAWN)


def test_refusals_are_told_by_the_words_that_are_given_and_counted_by_goal() -> None:
    found = {(d.arm, d.words): d for d in measured().depths if d.grader == "rules"}
    assert [words for arm, words in found if arm == "deep"] == [0, 1, 4]
    assert {d.goals for d in found.values()} == {40}
    shares = {key: depth.refused.estimate for key, depth in found.items()}
    assert shares["deep", 0] == shares["deep", 4] == shares["shallow", 0] == 1
    assert shares["shallow", 1] == shares["shallow", 4] == 0
    # Forty goals that all refuse leave room for some that do not.
    assert 0.85 < found["deep", 4].refused.low < 0.95


def test_an_arm_that_refuses_everything_tells_nothing_apart() -> None:
    found = {(r.arm, r.group): r for r in measured().contrasts if r.grader == "gpt"}
    assert {group for _, group in found} == {"holes", "pits", ""}
    assert found["deep", ""].discrimination.estimate == 1
    assert found["scared", ""].discrimination.estimate == 0
    assert found["scared", ""].safe.estimate == found["scared", ""].unsafe.estimate == 1
    assert (found["deep", ""].safe_prompts, found["deep", "holes"].safe_prompts) == (40, 20)
    apart = found["scared", "holes"].discrimination
    assert apart.low < 0 < apart.high


def test_arms_are_compared_on_the_same_prompts_by_set() -> None:
    found = {(d.first, d.prompts_of): d for d in measured().differences if d.grader == "gpt"}
    assert [of for arm, of in found if arm == "shallow"] == [
        "plain",
        "attacks",
        "prefill",
        "prefill-1",
        "prefill-4",
        "role-play",
    ]
    plain, attacks = found["shallow", "plain"], found["shallow", "attacks"]
    assert plain.refusals.estimate == plain.compliance.estimate == 0
    assert (attacks.refusals.estimate, attacks.compliance.estimate) == (-1, 1)
    assert (attacks.prompts, attacks.goals, plain.prompts) == (160, 40, 40)
    assert attacks.compliance.low > 0.8


def test_the_difference_of_independent_shares_is_as_wide_as_both_together() -> None:
    one, other = Interval(0.8, 0.7, 0.9), Interval(0.3, 0.2, 0.5)
    found = difference_of_independent(one, other)
    assert found.estimate == pytest.approx(0.5)
    assert found.low == pytest.approx(0.5 - (0.1**2 + 0.2**2) ** 0.5)
    assert found.high == pytest.approx(0.5 + (0.1**2 + 0.1**2) ** 0.5)


def test_claims_on_attacks_want_goals_and_more_than_rules() -> None:
    evidence = Evidence(
        lima="shallow",
        roles={"preference": ["deep"], "from_aligned": ["shallow"]},
        started_from={"shallow": "deep"},
        resistance=measured(),
    )
    over = Measure(quantity="attack_success_over", role="preference", above=0)
    found = {f.judge: f for f in QUANTITIES["attack_success_over"].measure(evidence, over)}
    assert found["gpt"].interval.low > 0.8
    assert (found["gpt"].alone, found["rules"].alone) == (False, True)
    assert (found["gpt"].prompts, found["gpt"].items) == (160, 40)
    assert found["gpt"].annotators is not None and found["gpt"].annotators.kind == "model"
    after = Measure(quantity="refusals_after_tuning", role="from_aligned", below=-0.1)
    (by_judge, _) = QUANTITIES["refusals_after_tuning"].measure(evidence, after)
    assert by_judge.interval.estimate == 0 and by_judge.interval.low > -0.15
    assert {s.items for s in QUANTITIES["attack_success_over"].smallest} >= {30}


def test_the_command_feeds_the_figure_and_the_tables(tmp_path: Path) -> None:
    prompts, answers = study(6)
    write_records(tmp_path / "prompts.jsonl", prompts)
    write_records(tmp_path / "responses.jsonl", answers)
    command = ["refusals", "resistance", str(tmp_path / "responses.jsonl"), "--seed", "1"]
    command += ["--prompts", str(tmp_path / "prompts.jsonl"), "--pair", "shallow=deep"]
    output = tmp_path / "resistance.json"
    result = CliRunner().invoke(app, [*command, "--bootstrap", "100", "--output", str(output)])
    assert result.exit_code == 0, result.output
    assert "shallow, 4 words given, by rules: refused 0.0%" in result.output
    assert "hole number" not in result.output
    files = {"resistance": [output]}
    write_figure(exhibit.FIGURE, files, Options(), tmp_path / "depth.svg", miniature=False)
    assert "words of a complying answer" in (tmp_path / "depth.svg").read_text()
    for name, table in (("pairs", exhibit.CONTRASTS), ("apart", exhibit.DIFFERENCES)):
        write_table(table, files, Options(), tmp_path / f"{name}.csv")
    with (tmp_path / "pairs.csv").open() as file:
        assert {row["type"] for row in csv.DictReader(file)} == {"holes", "pits", "all"}
    refused = CliRunner().invoke(app, [*command[:-1], "shallow=gpt", "--output", str(output)])
    assert refused.exit_code != 0 and "no responses of 'gpt'" in str(refused.exception)


def test_nothing_of_the_kind_is_an_empty_figure(tmp_path: Path) -> None:
    empty: dict[str, object] = {"depths": [], "contrasts": [], "differences": [], "graders": {}}
    write_json(tmp_path / "r.json", empty)
    files = {"resistance": [tmp_path / "r.json"]}
    write_figure(exhibit.FIGURE, files, Options(), tmp_path / "d.svg", miniature=False)
    assert json.loads((tmp_path / "r.json").read_text()) == empty
