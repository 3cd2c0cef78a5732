"""Differences between the mean grades of two arms, prompt by prompt."""

from collections import defaultdict
from pathlib import Path

import numpy as np

from limaflow.analysis.claims import GradeGap
from limaflow.jsonl import read_records
from limaflow.measures.intervals import bootstrap_mean
from limaflow.records import Grade
from limaflow.seeds import seed_for


def grade_gaps(
    paths: list[Path], lima: str, *, rounds: int, confidence: float, seed: int
) -> list[GradeGap]:
    """LIMA arm minus every other arm in the files, by judge; Likert grades only.

    Samples of one prompt are averaged first; prompts that either arm has no grade for are left
    out, and failed grades are not read as any value.
    """
    values: dict[tuple[str, str], dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for path in paths:
        for grade in read_records(path, Grade):
            if grade.value is not None and grade.scale == "likert-6":
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
                difference=bootstrap_mean(
                    differences,
                    rounds=rounds,
                    confidence=confidence,
                    seed=seed_for(seed, "grade-gap", judge, arm),
                ),
                prompts=len(prompts),
            )
        )
    return gaps
