"""Grades by one instrument, prompt by prompt: gaps between arms, and shares of a value.

Samples of one prompt are averaged first, and failed grades are not read as any value.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from limaflow.intervals import Interval, Resampling
from limaflow.records import Grade
from limaflow.seeds import seed_for


@dataclass(frozen=True, kw_only=True)
class GradeGap:
    """Mean grade of the LIMA arm minus that of another arm, paired by prompt."""

    judge: str
    arm: str
    difference: Interval
    prompts: int


@dataclass(frozen=True, kw_only=True)
class GradeShare:
    """Share of an arm's responses that one judge gave a value."""

    judge: str
    interval: Interval
    prompts: int


def grade_gaps(
    grades: Iterable[Grade], lima: str, *, span: float, rounds: int, confidence: float, seed: int
) -> list[GradeGap]:
    """LIMA arm minus every other arm, by judge, over the prompts for which both have a grade.

    Args:
        span: highest minus lowest value of the scale.
    """
    values: dict[tuple[str, str], dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for grade in grades:
        if grade.value is not None:
            values[grade.annotator, grade.model][grade.prompt_id].append(grade.value)
    gaps = []
    for (judge, arm), theirs in sorted(values.items()):
        ours = values.get((judge, lima), {})
        prompts = sorted(ours.keys() & theirs.keys())
        if arm == lima or not prompts:
            continue
        differences = np.array([np.mean(ours[p]) - np.mean(theirs[p]) for p in prompts])
        gaps.append(
            GradeGap(
                judge=judge,
                arm=arm,
                difference=Resampling(
                    rounds=rounds,
                    confidence=confidence,
                    seed=seed_for(seed, "grade-gap", judge, arm),
                ).mean(differences, -span, span),
                prompts=len(prompts),
            )
        )
    return gaps


def grade_shares(
    grades: Iterable[Grade],
    value: int,
    *,
    or_better: bool,
    rounds: int,
    confidence: float,
    seed: int,
) -> list[GradeShare]:
    """Share of the responses of one arm graded `value`, or at least that, by judge."""
    found: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for grade in grades:
        if grade.value is not None:
            found[grade.annotator][grade.prompt_id].append(grade.value)
    shares = []
    for judge, prompts in sorted(found.items()):
        hits = np.array(
            [
                np.mean([v >= value if or_better else v == value for v in values])
                for _, values in sorted(prompts.items())
            ]
        )
        shares.append(
            GradeShare(
                judge=judge,
                interval=Resampling(
                    rounds=rounds,
                    confidence=confidence,
                    seed=seed_for(seed, "absolute-quality", judge, value),
                ).share(hits, np.ones_like(hits)),
                prompts=len(prompts),
            )
        )
    return shares
