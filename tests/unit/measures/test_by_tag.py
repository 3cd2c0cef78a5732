"""Numbers of the prompts of one label are those of the whole on fewer prompts."""

import pytest

from limaflow.errors import InputError
from limaflow.intervals import Resampling
from limaflow.judging.instrument import known
from limaflow.measures.by_tag import TaggedNumber, by_tag
from limaflow.prompt_tags import Sensitive, Tags
from limaflow.records import Example, Grade, Message, Verdict

RESAMPLING = Resampling(rounds=300, confidence=0.95, seed=1)


def prompt(number: int) -> Example:
    turns = (Message(role="user", content=f"q{number}"),)
    intents = {0: None, 1: Sensitive(intent="malicious"), 2: Sensitive(intent="benign")}
    sensitive = intents[number % 3]
    return Example(
        id=f"p{number}",
        messages=turns,
        source="s",
        split="test",
        tags=Tags(sensitive=sensitive) if sensitive else None,
    )


PROMPTS = [prompt(number) for number in range(90)]


def grade(of: Example, value: int | None, judge: str = "j") -> Grade:
    return Grade(
        prompt_id=of.id,
        sample=0,
        annotator=judge,
        model="lima",
        response_id="r",
        instrument="likert",
        scale="likert-6",
        value=value,
        error=None if value else "unreadable",
    )


def verdict(of: Example, choice: str) -> Verdict:
    return Verdict(
        prompt_id=of.id,
        sample=0,
        annotator="j",
        first="lima",
        second="base",
        first_response_id="r",
        second_response_id="s",
        choice=choice,
    )


def numbers(grades: list[Grade], verdicts: list[Verdict]) -> dict[tuple[str, str], TaggedNumber]:
    found = by_tag(
        PROMPTS,
        ["sensitive"],
        grades=grades,
        verdicts=[("lima-vs-base", verdicts)],
        instruments=known(()),
        rule="strict",
        resampling=RESAMPLING,
    )
    return {(row.label, row.against): row for row in found}


def test_grades_and_verdicts_are_told_apart_by_label() -> None:
    malicious = {p.id for p in PROMPTS if p.tags and p.tags.sensitive.intent == "malicious"}
    grades = [grade(p, 2 if p.id in malicious else 6) for p in PROMPTS]
    verdicts = [verdict(p, "second" if p.id in malicious else "first") for p in PROMPTS]
    found = numbers(grades, verdicts)
    assert found["sensitive: malicious", ""].number.estimate == 2
    assert found["sensitive: benign", ""].number.estimate == 6
    assert found["sensitive: malicious", "base"].number.estimate == 0
    assert found["sensitive: benign", "base"].number.estimate == 1
    assert {row.prompts for row in found.values()} == {30}


def test_a_judge_who_graded_none_of_a_label_has_no_number_of_it() -> None:
    malicious = {p.id for p in PROMPTS if p.tags and p.tags.sensitive.intent == "malicious"}
    found = numbers([grade(p, None if p.id in malicious else 6) for p in PROMPTS], [])
    assert set(found) == {("sensitive: benign", "")}


def test_a_tag_that_no_prompt_has_is_an_error() -> None:
    with pytest.raises(InputError, match="no prompt has one of the tags attack"):
        by_tag(
            PROMPTS,
            ["attack"],
            grades=[],
            verdicts=[],
            instruments={},
            rule="strict",
            resampling=RESAMPLING,
        )
