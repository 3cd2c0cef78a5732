"""The paper's Figure 3 as a claim: half of the answers are excellent, and few fail."""

from collections import defaultdict
from pathlib import Path

import numpy as np

from limaflow.analysis.claims import Claim, Measured, cited, judged
from limaflow.analysis.decision_rules import above
from limaflow.analysis.paper import Paper
from limaflow.jsonl import read_records
from limaflow.measures.intervals import bootstrap_mean
from limaflow.records import Grade
from limaflow.seeds import seed_for

EXCELLENT, PASS = 3, 2


def absolute_quality(
    grades: list[Path], lima: str, paper: Paper, *, rounds: int, confidence: float, seed: int
) -> Claim:
    """The LIMA arm's shares of excellent and of not failing answers, by judge.

    Samples of one prompt are averaged first; failed grades are not read as any value.
    """
    excellent, passing = (paper.values[f"outputs-{level}"] for level in ("excellent", "pass"))
    prompts = paper.values["outputs-prompts"].value or 1
    theirs = {
        EXCELLENT: (excellent.value or 0) / 100,
        PASS: ((excellent.value or 0) + (passing.value or 0)) / 100,
    }
    lowest = {
        level: share - 1.96 * (share * (1 - share) / prompts) ** 0.5
        for level, share in theirs.items()
    }
    measured = []
    for judge, values in _by_judge(grades, lima).items():
        for level, label in ((EXCELLENT, "excellent"), (PASS, "excellent or passing")):
            interval = bootstrap_mean(
                np.array([np.mean([v >= level for v in found]) for found in values]),
                rounds=rounds,
                confidence=confidence,
                seed=seed_for(seed, "absolute-quality", judge, level),
            )
            measured.append(
                Measured(
                    label=f"share of {label} answers, judge {judge}, {len(values)} prompts",
                    interval=interval,
                    decision=above(interval, lowest[level]),
                )
            )
    return judged(
        measured,
        id="absolute-quality",
        origin="paper",
        statement="Half of the answers are excellent and few fail.",
        paper=f"{excellent.value:g} / {passing.value:g} / "
        f"{paper.values['outputs-fail'].value:g} % excellent / pass / fail",
        source=cited(excellent),
        rule=f"supported if the whole interval of excellent answers lies above "
        f"{lowest[EXCELLENT]:.2f} and that of excellent or passing ones above {lowest[PASS]:.2f}, "
        f"the lower ends of the paper's own 95 % intervals ({prompts:g} prompts)",
        missing="no answers were graded on the scale excellent, pass, fail",
    )


def _by_judge(grades: list[Path], lima: str) -> dict[str, list[list[int]]]:
    """Judge → the values of each prompt's samples, in the prompts' order."""
    found: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for path in grades:
        for grade in read_records(path, Grade):
            ours = grade.model == lima and grade.scale == "excellent-pass-fail"
            if ours and grade.value is not None:
                found[grade.annotator][grade.prompt_id].append(grade.value)
    return {
        judge: [values for _, values in sorted(prompts.items())]
        for judge, prompts in sorted(found.items())
    }
