"""Excellent, pass and fail, held against the paper's Figure 3."""

from typing import Literal

import pytest

from limaflow.analysis.claims import Claim, decided
from limaflow.analysis.evidence import Evidence
from limaflow.analysis.paper import paper
from limaflow.intervals import Interval
from limaflow.measures.summaries import GradeSummary
from limaflow.records import Grade

QUALITY = GradeSummary(
    model="lima",
    judge="j",
    scale="excellent-pass-fail",
    prompts=9,
    errors=0,
    mean=Interval(2, 1, 3),
    counts={},
    shares={},
    instrument="quality",
    title="How good?",
    ordered=True,
    words={"1": "fail", "2": "pass", "3": "excellent"},
)


def grade(prompt: int, value: int | None, model: str, scale: Literal["likert-6"] | None) -> Grade:
    return Grade(
        prompt_id=f"{prompt:03}",
        sample=0,
        annotator="j",
        annotator_kind="model",
        model=model,
        response_id="r",
        instrument="likert" if scale else "quality",
        scale=scale or "excellent-pass-fail",
        value=value,
        error=None if value is not None else "unreadable",
    )


def claim(values: list[int | None]) -> Claim:
    grades = [grade(n, value, "lima", None) for n, value in enumerate(values)]
    grades += [grade(n, 1, "base", None) for n in range(9)]
    grades += [grade(n, 1, "lima", "likert-6") for n in range(9)]
    evidence = Evidence(lima="lima", graded=[QUALITY], grades=grades, rounds=500, seed=1)
    return next(c for c in decided([], evidence, paper()) if c.id == "absolute-quality")


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        ([3] * 500 + [2] * 380 + [1] * 120, "supported"),
        ([3] * 10 + [2] * 85 + [1] * 5, "contradicted"),
        ([3] * 60 + [1] * 40, "contradicted"),
        ([3] * 40 + [2] * 55 + [1] * 5, "undecided"),
        ([None] * 5, "not tested here"),
    ],
    ids=["as the paper", "few excellent", "many fail", "at the edge", "only errors"],
)
def test_both_shares_must_reach_the_papers(values: list[int | None], verdict: str) -> None:
    assert claim(values).verdict == verdict


def test_shares_are_of_the_readable_grades_of_the_lima_arm() -> None:
    excellent, passing = claim([3, 3, 2, 1, None]).measured
    assert excellent.interval.estimate == 0.5
    assert passing.interval.estimate == 0.75
    assert "judge j, 4 prompts" in passing.label
