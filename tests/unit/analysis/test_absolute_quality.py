"""Excellent, pass and fail, held against the paper's Figure 3."""

from pathlib import Path
from typing import Literal

import pytest

from limaflow.analysis.absolute_quality import absolute_quality
from limaflow.analysis.claims import Claim
from limaflow.analysis.paper import paper
from limaflow.jsonl import write_records
from limaflow.records import Grade


def grade(prompt: int, value: int | None, model: str, scale: Literal["likert-6"] | None) -> Grade:
    return Grade(
        prompt_id=f"{prompt:03}",
        sample=0,
        annotator="j",
        model=model,
        response_id="r",
        instrument="likert" if scale else "quality",
        scale=scale or "excellent-pass-fail",
        value=value,
        error=None if value is not None else "unreadable",
    )


def claim(folder: Path, values: list[int | None]) -> Claim:
    records = [grade(n, value, "lima", None) for n, value in enumerate(values)]
    records += [grade(n, 1, "base", None) for n in range(9)]
    records += [grade(n, 1, "lima", "likert-6") for n in range(9)]
    write_records(folder / "grades.jsonl", records)
    return absolute_quality(
        [folder / "grades.jsonl"], "lima", paper(), rounds=500, confidence=0.95, seed=1
    )


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        ([3] * 60 + [2] * 35 + [1] * 5, "supported"),
        ([3] * 10 + [2] * 85 + [1] * 5, "contradicted"),
        ([3] * 60 + [1] * 40, "contradicted"),
        ([3] * 40 + [2] * 55 + [1] * 5, "undecided"),
        ([None] * 5, "not tested here"),
    ],
    ids=["as the paper", "few excellent", "many fail", "at the edge", "only errors"],
)
def test_both_shares_must_reach_the_papers(
    tmp_path: Path, values: list[int | None], verdict: str
) -> None:
    assert claim(tmp_path, values).verdict == verdict


def test_shares_are_of_the_readable_grades_of_the_lima_arm(tmp_path: Path) -> None:
    excellent, passing = claim(tmp_path, [3, 3, 2, 1, None]).measured
    assert excellent.interval.estimate == 0.5
    assert passing.interval.estimate == 0.75
    assert "judge j, 4 prompts" in passing.label
