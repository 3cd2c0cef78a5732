"""What is measured of dialogues, on planted answers and grades."""

import json
import random
from collections.abc import Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner

from limaflow.cli import app
from limaflow.dialogue.measure import (
    FEWEST_FOR_TEST,
    ArmDialogues,
    Dialogues,
    arm_dialogues,
    measured,
    repeated_share,
)
from limaflow.dialogue.turns import turn_id
from limaflow.errors import InputError
from limaflow.intervals import Resampling
from limaflow.jsonl import read_json, write_records
from limaflow.prompt_tags import FormatRule, Tags
from limaflow.records import Example, Grade, Message, Response

WORDS = {"excellent": 3, "pass": 2, "fail": 1}
RESAMPLING = Resampling(rounds=500, confidence=0.95, seed=1)


def answers(arm: str, texts: dict[str, Sequence[str]]) -> list[Response]:
    return [
        Response(
            prompt_id=turn_id(script, number),
            model=arm,
            sample=0,
            text=text,
            tokens=0,
            finish_reason="stop",
        )
        for script, turns in texts.items()
        for number, text in enumerate(turns, start=1)
    ]


def graded(responses: Sequence[Response], values: dict[str, int]) -> list[Grade]:
    return [
        Grade(
            prompt_id=r.prompt_id,
            sample=0,
            annotator="judge",
            model=r.model,
            response_id=r.id,
            instrument="quality",
            scale="excellent-pass-fail",
            value=values[r.prompt_id],
        )
        for r in responses
        if r.prompt_id in values
    ]


def of_grades(arm: str, values: dict[str, Sequence[int]]) -> ArmDialogues:
    responses = answers(arm, {s: ["a b c d"] * len(turns) for s, turns in values.items()})
    of_turns = {turn_id(s, n): v for s, turns in values.items() for n, v in enumerate(turns, 1)}
    return arm_dialogues(responses, graded(responses, of_turns), {})


def test_survival_counts_first_failures_and_dialogues_that_end_without_one() -> None:
    arm = of_grades("lima", {"a": [3, 1, 1], "b": [2, 3], "c": [3, 3, 1], "d": [1]})
    [summary] = measured([arm], WORDS, "quality", RESAMPLING).arms
    curve = [(s.turn, s.at_risk, s.failed) for s in summary.survival]
    assert curve == [(1, 4, 1), (2, 3, 1), (3, 1, 1)]
    # Kaplan and Meier by hand: 3/4, then 2/3 of it, then none of the one that is left.
    assert [s.share for s in summary.survival] == pytest.approx([0.75, 0.5, 0.0])


def test_where_all_have_failed_none_is_left_at_later_turns() -> None:
    arm = of_grades("base", {"a": [1, 1, 3], "b": [1, 3, 3]})
    [summary] = measured([arm], WORDS, "quality", RESAMPLING).arms
    assert [(s.turn, s.at_risk, s.share) for s in summary.survival] == [
        (1, 2, 0.0),
        (2, 0, 0.0),
        (3, 0, 0.0),
    ]


def test_shares_are_of_turns_and_their_units_are_dialogues() -> None:
    arm = of_grades("lima", {f"s{n}": [3, 3, 1] for n in range(40)})
    [summary] = measured([arm], WORDS, "quality", RESAMPLING).arms
    assert summary.turns == 120
    assert summary.shares["excellent"].estimate == pytest.approx(2 / 3)
    assert summary.shares["pass"].estimate == 0
    assert [t.shares["fail"].estimate for t in summary.by_turn] == [0, 0, 1]


def test_an_ungraded_turn_is_refused_and_named() -> None:
    responses = answers("lima", {"a": ["x", "y"]})
    with pytest.raises(InputError, match="judge gave no grade to a#2"):
        arm_dialogues(responses, graded(responses, {"a#1": 3}), {})


def test_planted_differences_are_found_and_none_is_found_between_equals() -> None:
    chance = random.Random(1)

    def dialogues(fails: float) -> dict[str, list[int]]:
        return {
            f"s{n}": [1 if chance.random() < fails else 3 for _ in range(4)] for n in range(200)
        }

    bad, good, again = (
        of_grades(name, dialogues(p)) for name, p in (("bad", 0.4), ("good", 0.1), ("again", 0.1))
    )
    found = measured([bad, good, again], WORDS, "quality", RESAMPLING)
    contrasts = {(c.first, c.second): c for c in found.contrasts}
    planted = contrasts["bad", "good"]
    assert planted.shares["fail"].low < 0.3 < planted.shares["fail"].high
    assert planted.logrank_p is not None and planted.logrank_p < 1e-6
    equal = contrasts["good", "again"]
    assert equal.shares["fail"].low < 0 < equal.shares["fail"].high
    assert equal.logrank_p is not None and equal.logrank_p > 0.01


def test_ten_dialogues_get_no_test() -> None:
    few = {f"s{n}": [1] for n in range(FEWEST_FOR_TEST - 1)}
    found = measured([of_grades("a", few), of_grades("b", few)], WORDS, "quality", RESAMPLING)
    assert found.contrasts[0].logrank_p is None


def test_lengths_drift_and_repetition_are_measured_without_grades() -> None:
    texts = {f"s{n}": ["one two three four five", "one two three four"] for n in range(30)}
    texts["s0"] = ["one two", ""]
    arm = arm_dialogues(answers("base", texts), [], {"s0": 3})
    [summary] = measured([arm], WORDS, "quality", RESAMPLING).arms
    first, second = summary.by_turn
    assert first.words is not None and first.words.estimate == pytest.approx(147 / 30)
    assert second.more_words is not None and second.more_words.estimate == pytest.approx(-31 / 30)
    assert second.repeated is not None and second.repeated.estimate == pytest.approx(29 / 30)
    assert (second.empty, summary.ended_early, summary.survival) == (1, 1, ())


@pytest.mark.parametrize(
    ("said", "share"),
    [
        (["a b c d e", "a b c d e"], 1.0),
        (["a b c d e", "f g h i j"], 0.0),
        (["a b c d e", "x a b c d"], 0.5),
        (["yes", "yes"], 1.0),
        (["yes", ""], 0.0),
    ],
)
def test_repetition_is_the_share_of_runs_of_four_words(said: list[str], share: float) -> None:
    assert repeated_share(said) == share


def test_the_command_measures_files(tmp_path: Path) -> None:
    responses = answers("lima", {f"s{n}": ["a", "b"] for n in range(30)})
    write_records(tmp_path / "r.jsonl", responses)
    write_records(tmp_path / "g.jsonl", graded(responses, {r.prompt_id: 3 for r in responses}))
    (tmp_path / "cut.json").write_text(json.dumps({}))
    command = ["dialogue", "measure", str(tmp_path / "r.jsonl"), "--grades"]
    command += [str(tmp_path / "g.jsonl"), "--cut", str(tmp_path / "cut.json")]
    ran = CliRunner().invoke(app, [*command, "--output", str(tmp_path / "d.json")])
    assert ran.exit_code == 0, ran.output
    found = read_json(tmp_path / "d.json", Dialogues)
    assert found.failure == "fail"
    assert found.arms[0].shares["excellent"].estimate == 1


def formed(responses: Sequence[Response]) -> list[Example]:
    """Prompts of these turns whose dialogues ask for at most three words."""
    rule = FormatRule(rule="words", arguments='{"count": 3, "relation": "at most"}')
    return [
        Example(
            id=r.prompt_id,
            messages=(Message(role="user", content="In three words?"),),
            source="dialogues",
            split="test",
            tags=Tags(format=(rule,)),
        )
        for r in responses
    ]


def test_forgetting_of_a_form_is_found_turn_by_turn_as_it_was_planted() -> None:
    chance, keeps = random.Random(2), (1.0, 0.8, 0.5)
    texts = {
        f"s{n}": ["a b c" if chance.random() < kept else "a b c d" for kept in keeps]
        for n in range(200)
    }
    responses = answers("lima", texts)
    arm = arm_dialogues(responses, [], {}, formed(responses))
    [summary] = measured([arm], WORDS, "quality", RESAMPLING).arms
    found = [turn.kept for turn in summary.by_turn]
    assert [turn.constrained for turn in summary.by_turn] == [200] * 3
    assert found[0] is not None and found[0].estimate == 1
    for interval, kept in zip(found[1:], keeps[1:], strict=True):
        assert interval is not None and interval.low < kept < interval.high
    later = summary.kept_later
    assert later is not None and later.low < 0.65 < later.high


def test_intervals_of_forgetting_are_over_dialogues() -> None:
    """Twenty dialogues of which each keeps or breaks its form throughout are twenty facts."""
    texts = {f"s{n}": ["a", *(["a"] * 9 if n % 2 else ["a b c d"] * 9)] for n in range(20)}
    responses = answers("lima", texts)
    [summary] = measured(
        [arm_dialogues(responses, [], {}, formed(responses))], WORDS, "quality", RESAMPLING
    ).arms
    assert summary.kept_later is not None
    assert summary.kept_later.estimate == pytest.approx(0.5)
    assert summary.kept_later.high - summary.kept_later.low > 0.3


def test_dialogues_without_a_form_have_no_share_that_keeps_one() -> None:
    responses = answers("lima", {"a": ["x", "y"], "b": ["x y z v"]})
    own = [prompt for prompt in formed(responses) if prompt.id.startswith("a")]
    [summary] = measured([arm_dialogues(responses, [], {}, own)], WORDS, "quality", RESAMPLING).arms
    assert [turn.constrained for turn in summary.by_turn] == [1, 1]
