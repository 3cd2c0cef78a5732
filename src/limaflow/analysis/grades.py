"""Grades by one instrument, prompt by prompt: gaps between arms, and shares of a value.

Samples of one prompt are averaged first, and failed grades are not read as any value.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from limaflow.intervals import Interval, Resampling
from limaflow.measures.training_seeds import mean_over_seeds
from limaflow.records import Grade
from limaflow.seeds import seed_for

Values = Mapping[str, list[int]]
"""Prompt → the grades that its responses were given."""


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
    grades: Iterable[Grade],
    lima: str,
    *,
    span: float,
    rounds: int,
    confidence: float,
    seed: int,
    again: Mapping[str, str],
) -> list[GradeGap]:
    """LIMA arm minus every other arm, by judge, over the prompts for which both have a grade.

    Args:
        span: highest minus lowest value of the scale.
        again: arm → the arm that it is once more, trained with another seed. From five seeds of
            either arm on, the difference is over seeds too: the k-th of one against the k-th of the
            other, or against its only one.
    """
    values: dict[tuple[str, str], Values] = defaultdict(lambda: defaultdict(list))
    for grade in grades:
        if grade.value is not None:
            values[grade.annotator, grade.model][grade.prompt_id].append(grade.value)
    gaps = []
    for (judge, arm), theirs in sorted(values.items()):
        ours = values.get((judge, lima), {})
        prompts = sorted(ours.keys() & theirs.keys())
        if arm == lima or arm in again or not prompts:
            continue
        pairs = _seed_by_seed(_seeds(values, judge, lima, again), _seeds(values, judge, arm, again))
        differences = [
            {p: float(np.mean(one[p]) - np.mean(other[p])) for p in one.keys() & other.keys()}
            for one, other in pairs
        ]
        gaps.append(
            GradeGap(
                judge=judge,
                arm=arm,
                difference=mean_over_seeds(
                    differences,
                    -span,
                    span,
                    Resampling(
                        rounds=rounds,
                        confidence=confidence,
                        seed=seed_for(seed, "grade-gap", judge, arm),
                    ),
                ),
                prompts=len(prompts),
            )
        )
    return gaps


def _seeds(
    values: Mapping[tuple[str, str], Values], judge: str, arm: str, again: Mapping[str, str]
) -> list[Values]:
    """One judge's grades of an arm, of each of its training seeds."""
    further = [
        values[judge, name] for name in again if again[name] == arm and (judge, name) in values
    ]
    return [values[judge, arm], *further]


def _seed_by_seed(ours: list[Values], theirs: list[Values]) -> list[tuple[Values, Values]]:
    if len(theirs) == 1:
        return [(one, theirs[0]) for one in ours]
    if len(ours) == 1:
        return [(ours[0], other) for other in theirs]
    return list(zip(ours, theirs, strict=False))


def grade_shares(
    grades: Iterable[Grade],
    value: int,
    arm: str,
    *,
    or_better: bool,
    rounds: int,
    confidence: float,
    seed: int,
    again: Mapping[str, str],
) -> list[GradeShare]:
    """Share of the responses of one arm graded `value`, or at least that, by judge.

    From five seeds on it is over seeds too; `again` as in `grade_gaps`.
    """
    found: dict[tuple[str, str], Values] = defaultdict(lambda: defaultdict(list))
    for grade in grades:
        if grade.value is not None and arm in (grade.model, again.get(grade.model)):
            found[grade.annotator, grade.model][grade.prompt_id].append(grade.value)
    shares = []
    for judge in sorted({judge for judge, model in found if model == arm}):
        prompts = found[judge, arm]
        hits = [
            {
                prompt: float(np.mean([v >= value if or_better else v == value for v in values]))
                for prompt, values in of_seed.items()
            }
            for of_seed in _seeds(found, judge, arm, again)
        ]
        shares.append(
            GradeShare(
                judge=judge,
                interval=mean_over_seeds(
                    hits,
                    0,
                    1,
                    Resampling(
                        rounds=rounds,
                        confidence=confidence,
                        seed=seed_for(seed, "absolute-quality", judge, value),
                    ),
                ),
                prompts=len(prompts),
            )
        )
    return shares
