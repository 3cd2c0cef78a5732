"""Mean grade of each arm on every scale of numbers, beside the paper's Figures 5 and 6."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from limaflow.analysis.exhibit import Figure, Files, Options
from limaflow.analysis.graded_scales import by_instrument
from limaflow.analysis.paper import Likert, paper
from limaflow.analysis.study import Study
from limaflow.intervals import Interval
from limaflow.jsonl import read_json
from limaflow.measures.summaries import GradeSummary
from limaflow.plot_style import GREY, SERIES, columns, drawing, empty, error_bars

Grades = Sequence[GradeSummary]
Row = dict[str, object]
PAPERS_SCALE = (1, 6)
"""Lowest and highest grade of Figures 5 and 6."""


def inputs(study: Study) -> Files:
    return {"grades": [study.results.analysis("grades")]}


def read(files: Files, options: Options) -> dict[str, list[GradeSummary]]:
    return by_instrument(read_json(files["grades"][0], list[GradeSummary]), numbers=True)


def rows(data: dict[str, list[GradeSummary]]) -> list[Row]:
    """Ours by instrument, then the paper's."""
    likert = paper().likert
    ours: list[Row] = [
        {
            "arm": grade.model,
            "judge": grade.judge,
            "instrument": name,
            "origin": "measured",
            "prompts": grade.prompts,
            **columns("mean", grade.mean),
        }
        for name, grades in data.items()
        for grade in grades
    ]
    theirs: list[Row] = [
        {
            "arm": row.label,
            "judge": likert.annotator,
            "instrument": None,
            "origin": f"arXiv {paper().arxiv} {row.place} [{likert.mark}]",
            "prompts": None,
            **columns("mean", Interval(row.mean, row.mean - row.margin, row.mean + row.margin)),
        }
        for row in likert.rows
    ]
    return ours + theirs


def draw(data: dict[str, list[GradeSummary]], path: Path, *, miniature: bool) -> None:
    """One row an instrument: ours on the left, the paper's beside it where its scale is 1–6."""
    likert = paper().likert
    panels = data or {"": []}
    beside = next((n for n, grades in panels.items() if _ends(grades) == PAPERS_SCALE), None)
    heights = [
        1.1
        + 0.32 * max(len({grade.model for grade in grades}), len(likert.rows) * (n == beside), 2)
        for n, grades in panels.items()
    ]
    with drawing(path, width=7.2, height=sum(heights), miniature=miniature) as figure:
        grid = figure.subplots(len(panels), 2, sharex="row", squeeze=False, height_ratios=heights)
        for (ours, theirs), (name, grades) in zip(grid, panels.items(), strict=True):
            low, high = _ends(grades)
            what = "" if len(panels) == 1 else f": {name}"
            ours.set_title(f"measured here{what}")
            _draw_ours(ours, grades)
            if name == beside:
                _draw_theirs(theirs, likert)
            else:
                theirs.set_axis_off()
            margin = (high - low) / 50
            for axes in (ours, theirs):
                axes.set_xlim(low - margin, high + margin)
                axes.grid(axis="x", color="#eeeeee")
                axes.set_xlabel(f"mean grade, {low}–{high}")


def _ends(grades: Grades) -> tuple[int, int]:
    """Lowest and highest grade of a scale; the paper's where nothing is graded."""
    values = [int(value) for grade in grades[:1] for value in (grade.words or grade.counts)]
    return (min(values), max(values)) if values else PAPERS_SCALE


def _draw_ours(axes: Any, grades: Grades) -> None:
    if not grades:
        empty(axes, "no grades")
        return
    judges = sorted({grade.judge for grade in grades})
    models = list(dict.fromkeys(grade.model for grade in grades))
    for number, judge in enumerate(judges):
        mine = [grade for grade in grades if grade.judge == judge]
        places = [models.index(g.model) + 0.18 * number for g in mine]
        intervals = [grade.mean for grade in mine]
        axes.errorbar(
            [i.estimate for i in intervals],
            places,
            xerr=error_bars(intervals),
            fmt="o",
            color=SERIES[number % len(SERIES)],
            capsize=3,
            label=f"judge {judge}",
        )
        for interval, place in zip(intervals, places, strict=True):
            axes.annotate(
                f"{interval.estimate:.2f}",
                (interval.estimate, place),
                textcoords="offset points",
                xytext=(0, 5),
                ha="center",
                fontsize=8,
            )
    axes.set_yticks(range(len(models)), models)
    axes.set_ylim(len(models) - 0.4, -0.6)
    if len(judges) > 1:
        axes.legend(fontsize=8)


def _draw_theirs(axes: Any, likert: Likert) -> None:
    theirs = [
        Interval(row.mean, row.mean - row.margin, row.mean + row.margin) for row in likert.rows
    ]
    axes.set_title(f"paper: {likert.model}, {likert.annotator}", color=GREY)
    axes.errorbar(
        [i.estimate for i in theirs],
        range(len(theirs)),
        xerr=error_bars(theirs),
        fmt="s",
        ms=3,
        color=GREY,
        capsize=3,
    )
    axes.set_yticks(range(len(theirs)), [row.label for row in likert.rows], fontsize=8)
    axes.invert_yaxis()


FIGURE = Figure(
    inputs=inputs,
    read=read,
    rows=rows,
    draw=draw,
    caption="Mean grade of each arm’s answers to the test prompts, on every scale of numbers. The "
    "paper’s values (helpfulness, 1–6) come from other models, prompts and judges: compare "
    "differences, not levels.",
    category="Grades",
    beside_paper=True,
)
