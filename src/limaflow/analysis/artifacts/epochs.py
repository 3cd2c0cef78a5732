"""Figure 9, which is appendix B: perplexity and quality over the steps of one training."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from limaflow.analysis.artifacts import lines
from limaflow.analysis.artifacts.artifact import Artifact, Line, exact
from limaflow.analysis.exhibit import Files, Options
from limaflow.analysis.exhibits import epochs
from limaflow.analysis.paper import paper
from limaflow.analysis.study import Study
from limaflow.plot_style import BLUE, GREY, ORANGE, PRINTED, drawing, empty, error_bars
from limaflow.training.manifest import read_training

PERPLEXITY, QUALITY = "perplexity of held-out answers", "mean grade of the dev responses, 1 to 6"


def missing(study: Study) -> str:
    if not study.lima_is_tuned:
        return "analysis.lima_arm: it is not tuned here, and has no steps"
    if len(study.judged_epochs) < 2:
        return "selection.epochs: fewer than two epochs are judged, which makes no curve"
    return ""


def read(files: Files, options: Options) -> list[Line]:
    """Ours after each judged epoch, by its optimizer step; then the paper's."""
    run = read_training(files["training"][0])
    ends = last_steps(files["training"][0].parent / run.log)
    ours = [
        line
        for point in epochs.read(files, options)
        if point.quality is not None
        for line in (
            Line(
                panel=PERPLEXITY,
                label=f"step {ends.get(point.epoch, '?')} (epoch {point.epoch})",
                ours=None if point.perplexity is None else exact(point.perplexity),
                basis=f"arm {run.arm}, {run.dev_examples} dev answers",
            ),
            Line(
                panel=QUALITY,
                label=f"step {ends.get(point.epoch, '?')} (epoch {point.epoch})",
                ours=point.quality,
                basis=f"arm {run.arm}, dev responses",
            ),
        )
    ]
    record = paper()
    where = f"arXiv {record.arxiv} {record.epochs.place} [{record.epochs.mark}]"
    theirs = [
        Line(panel=panel, label=f"step {row.step}", paper=exact(value), place=where)
        for row in record.epochs.rows
        for panel, value in ((PERPLEXITY, row.perplexity), (QUALITY, row.quality))
    ]
    return sorted([*ours, *theirs], key=lambda line: line.panel != PERPLEXITY)


def last_steps(log: Path) -> dict[int, int]:
    """Epoch → its last optimizer step; empty where the log is gone."""
    if not log.is_file():
        return {}
    with log.open(encoding="utf-8", newline="") as file:
        return {int(row["epoch"]): int(row["step"]) for row in csv.DictReader(file)}


def draw(data: Sequence[Line], path: Path, *, miniature: bool) -> None:
    """Ours on the left, the paper's on the right; the axis counts optimizer steps."""
    with drawing(path, width=7.2, height=4.4, miniature=miniature, also=PRINTED) as figure:
        grid = figure.subplots(2, 2, sharex="col")
        for (ours, theirs), panel, colour in zip(
            grid, (PERPLEXITY, QUALITY), (ORANGE, BLUE), strict=True
        ):
            own = [line for line in data if line.panel == panel and line.ours]
            if own:
                _curve(ours, own, colour)
            else:
                empty(ours, "not measured")
            _curve(theirs, [line for line in data if line.panel == panel and line.paper], GREY)
            ours.set_ylabel(panel.replace(" of ", "\nof ", 1))
        grid[0][0].set_title("measured here")
        grid[0][1].set_title(f"the paper’s {paper().epochs.model} model", color=GREY)
        for axes in grid[1]:
            axes.set_xlabel("optimizer step")


def _curve(axes: Any, found: Sequence[Line], colour: str) -> None:
    values = [line.ours or line.paper for line in found]
    known = [value for value in values if value]
    axes.errorbar(
        [int(line.label.split()[1]) for line in found],
        [value.estimate for value in known],
        yerr=error_bars(known),
        color=colour,
        marker="o",
        capsize=3,
    )
    axes.grid(color="#eeeeee")


def _artifact(title: str) -> Artifact[list[Line]]:
    return Artifact(
        title=title,
        inputs=epochs.inputs,
        read=read,
        rows=lines.rows,
        printed=lines.printed,
        draw=draw,
        uses=("bootstrap",),
        missing=missing,
    )


FIGURE_9 = _artifact("Figure 9: perplexity and quality over the steps")
APPENDIX_B = _artifact("Appendix B: perplexity does not follow quality")
