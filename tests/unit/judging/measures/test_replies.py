"""A choice or grade that is not what its reply says, or is on another text, is refused."""

import re
from dataclasses import replace

import pytest

from limaflow.errors import InputError
from limaflow.jsonl import read_records, write_records
from limaflow.judging.cli import compare, grade
from limaflow.measures.cli import agreement, agreement_of_grades, summarize, summarize_grades
from limaflow.records import Grade, Response, Verdict

ANSWERS = {
    "Which is better?": ("good good", "good"),
    "Which is worse?": ("bad", "good"),
    "Are they equal?": ("same", "same"),
}
OPPOSITE = {"first": "second", "second": "first", "tie": "first"}


@pytest.fixture
def judged(endpoint, study):
    """Verdicts and grades of a real server's replies."""
    made = study(ANSWERS)
    judge = {"judge": endpoint.judge().flag(), "prompts": made.prompts, "store": made.store}
    compare(**judge, first=made.ours, second=made.theirs, seed=1, output=made.output)
    grade(**judge, responses=made.ours, output=made.folder / "grades.jsonl")
    return made


@pytest.mark.parametrize("line", range(1, 7))
@pytest.mark.parametrize("command", [summarize, agreement])
def test_a_flipped_choice_is_named_by_file_and_line(judged, command, line: int) -> None:
    verdicts = list(read_records(judged.output, Verdict))
    flipped = replace(verdicts[line - 1], choice=OPPOSITE[verdicts[line - 1].choice])
    write_records(judged.output, [*verdicts[: line - 1], flipped, *verdicts[line:]])
    place = re.escape(f"{judged.output}:{line}: says {flipped.choice}")
    with pytest.raises(InputError, match=place):
        command([judged.output], output=judged.folder / "out.json", seed=1)


@pytest.mark.parametrize("command", [summarize_grades, agreement_of_grades])
def test_a_flipped_grade_is_named_by_file_and_line(judged, command) -> None:
    path = judged.folder / "grades.jsonl"
    grades = list(read_records(path, Grade))
    other = 7 - (grades[1].value or 0)
    write_records(path, [grades[0], replace(grades[1], value=other), *grades[2:]])
    with pytest.raises(InputError, match=re.escape(f"{path}:2: says {other}, and the reply")):
        command([path], output=judged.folder / "out.json", seed=1)


def test_the_line_counts_empty_ones(judged) -> None:
    verdicts = list(read_records(judged.output, Verdict))
    write_records(judged.output, [replace(verdicts[0], choice=OPPOSITE[verdicts[0].choice])])
    judged.output.write_text(f"\n\n{judged.output.read_text('utf-8')}", "utf-8")
    with pytest.raises(InputError, match=re.escape(f"{judged.output}:3:")):
        summarize([judged.output], output=judged.folder / "out.json", seed=1)


def test_choices_without_replies_are_counted_and_said(judged, capsys) -> None:
    verdicts = list(read_records(judged.output, Verdict))
    people = [replace(v, reply="", answered_by="", annotator_kind="person") for v in verdicts[:2]]
    elsewhere = [replace(v, template="another") for v in verdicts[2:3]]
    write_records(judged.output, [*people, *elsewhere, *verdicts[3:]])
    capsys.readouterr()
    summarize([judged.output], output=judged.folder / "out.json", seed=1)
    said = capsys.readouterr().out
    assert "2 of 6 judgments have no reply to check them by" in said
    assert "1 of 6 judgments were made by an instrument that is not here" in said


def test_verdicts_on_responses_that_were_changed_are_refused(judged) -> None:
    responses = list(read_records(judged.ours, Response))
    summarize(
        [judged.output],
        output=judged.folder / "out.json",
        seed=1,
        responses=[judged.ours, judged.theirs],
    )
    changed = replace(responses[1], text=f"{responses[1].text} and more")
    write_records(judged.ours, [responses[0], changed, *responses[2:]])
    with pytest.raises(InputError, match=rf"is on response {responses[1].id} of 'ours'"):
        summarize(
            [judged.output],
            output=judged.folder / "out.json",
            seed=1,
            responses=[judged.ours, judged.theirs],
        )
