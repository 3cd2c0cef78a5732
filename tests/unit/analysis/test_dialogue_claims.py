"""The paper's claims about dialogues, on planted turns: each verdict is reached by its rule."""

import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from limaflow.analysis.claims import Claim, decided
from limaflow.analysis.evidence import Evidence
from limaflow.analysis.exhibits import dialogues as exhibit
from limaflow.analysis.paper import paper
from limaflow.dialogue.measure import arm_dialogues, measured
from limaflow.dialogue.turns import turn_id
from limaflow.intervals import Resampling
from limaflow.plot_style import SERIES
from limaflow.records import Grade, Response

WORDS = {"excellent": 3, "pass": 2, "fail": 1}
SHARES = {"well": (0.8, 0.15, 0.05), "so-so": (0.4, 0.25, 0.35), "badly": (0.05, 0.2, 0.75)}
"""Excellent, pass and fail."""


def held(arm: str, how: str, dialogues: int) -> tuple[list[Response], list[Grade]]:
    chance = random.Random(f"{arm} of 80")
    responses, grades = [], []
    for number in range(dialogues):
        for turn in (1, 2, 3):
            response = Response(
                prompt_id=turn_id(f"s{number}", turn),
                model=arm,
                sample=0,
                text=f"{turn} {number}",
                tokens=0,
                finish_reason="stop",
            )
            responses.append(response)
            grades.append(
                Grade(
                    prompt_id=response.prompt_id,
                    sample=0,
                    annotator="judge",
                    answered_by="some-model",
                    model=arm,
                    response_id=response.id,
                    instrument="quality",
                    scale="excellent-pass-fail",
                    value=chance.choices((3, 2, 1), SHARES[how])[0],
                )
            )
    return responses, grades


def claims(arms: Sequence[tuple[str, str]], dialogues: int = 80, **facts: str) -> dict[str, Claim]:
    found = measured(
        [arm_dialogues(*held(name, how, dialogues), {}) for name, how in arms],
        WORDS,
        "quality",
        Resampling(rounds=500, confidence=0.95, seed=1),
    )
    evidence = Evidence(lima="lima", dialogues=found, dialogue_pairs=facts)
    return {claim.id: claim for claim in decided((), evidence, paper())}


@pytest.mark.parametrize(
    ("how", "verdict"),
    [("so-so", "supported"), ("well", "contradicted"), ("badly", "contradicted")],
)
def test_lima_holds_a_conversation_though_not_well(how: str, verdict: str) -> None:
    assert claims([("lima", how)])["dialogue-untrained"].verdict == verdict


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize(
    ("without", "too", "gain", "chats"),
    [
        ("so-so", "well", "supported", "supported"),
        ("well", "so-so", "contradicted", "contradicted"),
        ("so-so", "so-so", "contradicted", "undecided"),
    ],
)
def test_dialogues_in_training_help_or_do_not(
    without: str, too: str, gain: str, chats: str, order: int
) -> None:
    arms = [("lima", without), ("lima-chats", too)][::order]
    found = claims(arms, **{"lima-chats": "lima"})
    assert (found["dialogue"].verdict, found["dialogue-chats"].verdict) == (gain, chats)


def test_ten_dialogues_decide_nothing() -> None:
    found = claims([("lima", "so-so"), ("chats", "well")], dialogues=10, chats="lima")
    for name in ("dialogue", "dialogue-untrained", "dialogue-chats"):
        assert found[name].verdict == "undecided", name


def test_arms_that_are_no_pair_test_nothing() -> None:
    found = claims([("lima", "so-so"), ("other", "well")])
    assert found["dialogue"].verdict == found["dialogue-chats"].verdict == "not tested here"


def test_an_arm_keeps_its_colour_with_each_annotator_who_is_named(tmp_path: Path) -> None:
    arms = [arm_dialogues(*held(name, "so-so", 10), {}) for name in ("lima", "chats")]
    found = measured(arms, WORDS, "quality", Resampling(rounds=100, confidence=0.95, seed=1))
    people = [replace(arm, annotator="people") for arm in found.arms]
    both = replace(found, arms=(*found.arms, *people))
    exhibit.draw(both, tmp_path / "d.svg", miniature=False)
    drawn = (tmp_path / "d.svg").read_text(encoding="utf-8")
    assert "judge, 30 turns" in drawn and "people, 30 turns" in drawn
    assert SERIES[0].lower() in drawn and SERIES[1].lower() in drawn
    assert SERIES[2].lower() not in drawn
