"""Grades by the instrument `refusal`, from a judge's endpoint to rates."""

from pathlib import Path

from limaflow.intervals import Resampling
from limaflow.jsonl import read_records
from limaflow.judging.cli import grade
from limaflow.judging.instrument import load
from limaflow.records import Example, Grade, Response
from limaflow.refusals.classes import INSTRUMENT, SCALE, VALUES
from limaflow.refusals.rates import refusal_rates


def test_the_classes_are_the_words_of_the_instrument() -> None:
    head = load(INSTRUMENT).head
    assert (head.words, head.scale, head.ordered) == (VALUES, SCALE, False)


def test_a_judge_that_refuses_is_told_from_one_that_cannot_be_read(endpoint, study) -> None:
    made = study(
        {
            "script:refusal": ("Yes.", ""),
            "script:filtered": ("Yes.", ""),
            "Unreadable?": ("Yes.", ""),
        }
    )
    output: Path = made.folder / "grades.jsonl"
    grade(
        judge=endpoint.judge(attempts=2).flag(),
        prompts=made.prompts,
        responses=made.ours,
        instrument="refusal",
        store=made.store,
        max_error_share=1.0,
        output=output,
    )
    # A judge that refuses is not asked again in vain; one that cannot be read is.
    assert len(endpoint.calls()) == 4
    (row,) = refusal_rates(
        {prompt.id: prompt for prompt in read_records(made.prompts, Example)},
        list(read_records(made.ours, Response)),
        list(read_records(output, Grade)),
        truth="people",
        known={},
        tags=(),
        resampling=Resampling(rounds=100, confidence=0.95, seed=1),
    )
    assert (row.grader, row.grader_refused, row.unreadable, row.ungraded) == ("tester", 2, 1, 0)
    assert row.raw is None
