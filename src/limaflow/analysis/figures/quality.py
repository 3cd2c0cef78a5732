"""Mean helpfulness of each arm with its interval, beside the paper's Figures 5 and 6."""

from collections.abc import Sequence
from pathlib import Path

from limaflow.analysis.paper import Paper
from limaflow.measures.intervals import Interval
from limaflow.measures.summaries import GradeSummary
from limaflow.plot_style import GREY, SERIES, columns, drawing, empty, error_bars, write_csv


def draw(grades: Sequence[GradeSummary], paper: Paper, path: Path, *, miniature: bool) -> None:
    """Write the figure (grades on the scale 1–6), and its numbers beside it as CSV."""
    grades = [grade for grade in grades if grade.scale == "likert-6"]
    theirs = [
        Interval(row.mean, row.mean - row.margin, row.mean + row.margin)
        for row in paper.likert.rows
    ]
    write_csv(
        path.with_suffix(".csv"),
        [
            {
                "arm": grade.model,
                "judge": grade.judge,
                "origin": "measured",
                "prompts": grade.prompts,
                **columns("mean", grade.mean),
            }
            for grade in grades
        ]
        + [
            {
                "arm": row.label,
                "judge": paper.likert.annotator,
                "origin": f"arXiv {paper.arxiv} {row.place} [{paper.likert.mark}]",
                "prompts": None,
                **columns("mean", interval),
            }
            for row, interval in zip(paper.likert.rows, theirs, strict=True)
        ],
    )
    judges = sorted({grade.judge for grade in grades})
    models = list(dict.fromkeys(grade.model for grade in grades))
    height = 1.1 + 0.32 * max(len(models), len(theirs))
    with drawing(path, width=7.2, height=height, miniature=miniature) as figure:
        ours, other = figure.subplots(1, 2, sharex=True)
        ours.set_title("measured here")
        if not grades:
            empty(ours, "no grades")
        for number, judge in enumerate(judges):
            mine = [grade for grade in grades if grade.judge == judge]
            places = [models.index(g.model) + 0.18 * number for g in mine]
            intervals = [grade.mean for grade in mine]
            ours.errorbar(
                [i.estimate for i in intervals],
                places,
                xerr=error_bars(intervals),
                fmt="o",
                color=SERIES[number % len(SERIES)],
                capsize=3,
                label=f"judge {judge}",
            )
            for interval, place in zip(intervals, places, strict=True):
                ours.annotate(
                    f"{interval.estimate:.2f}",
                    (interval.estimate, place),
                    textcoords="offset points",
                    xytext=(0, 5),
                    ha="center",
                    fontsize=8,
                )
        if grades:
            ours.set_yticks(range(len(models)), models)
            ours.set_ylim(len(models) - 0.4, -0.6)
            if len(judges) > 1:
                ours.legend(fontsize=8)
        other.set_title(f"paper: {paper.likert.model}, {paper.likert.annotator}", color=GREY)
        other.errorbar(
            [i.estimate for i in theirs],
            range(len(theirs)),
            xerr=error_bars(theirs),
            fmt="s",
            ms=3,
            color=GREY,
            capsize=3,
        )
        other.set_yticks(range(len(theirs)), [row.label for row in paper.likert.rows], fontsize=8)
        other.invert_yaxis()
        for axes in (ours, other):
            axes.set_xlim(0.9, 6.1)
            axes.grid(axis="x", color="#eeeeee")
            axes.set_xlabel("mean helpfulness, 1–6")
