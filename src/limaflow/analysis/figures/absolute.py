"""Excellent, pass and fail of each arm beside the paper's Figure 3 and its unlike prompts."""

from collections.abc import Sequence
from pathlib import Path

from limaflow.analysis.figures import stacks
from limaflow.analysis.figures.stacks import MEASURED, Bar, exact
from limaflow.analysis.paper import Paper
from limaflow.measures.summaries import GradeSummary

LEVELS = {"excellent": "3", "pass": "2", "fail": "1"}
THEIRS = {"50 test prompts": "", "20 prompts unlike the training's": "-unlike"}


def draw(grades: Sequence[GradeSummary], paper: Paper, path: Path, *, miniature: bool) -> None:
    """Write the figure, and its numbers beside it as CSV."""
    ours = [
        Bar(
            label=f"{grade.model}\n{grade.judge}, {grade.prompts} prompts",
            origin=MEASURED,
            shares={name: grade.shares[level] for name, level in LEVELS.items()},
        )
        for grade in grades
        if grade.scale == "excellent-pass-fail"
    ]
    found = ours + _of_the_paper(paper) if ours else []
    stacks.draw(
        found, path, nothing="no answers graded excellent, pass or fail", miniature=miniature
    )


def _of_the_paper(paper: Paper) -> list[Bar]:
    bars = []
    for prompts, suffix in THEIRS.items():
        values = {name: paper.values[f"outputs-{name}{suffix}"] for name in LEVELS}
        place = values["excellent"].place
        bars.append(
            Bar(
                label=f"paper: LIMA\n{prompts}, {place.split(',')[0]}",
                origin=f"arXiv {paper.arxiv} {place}",
                shares={name: exact(value.value or 0.0) for name, value in values.items()},
            )
        )
    return bars
