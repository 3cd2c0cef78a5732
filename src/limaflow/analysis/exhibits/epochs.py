"""Dev perplexity and judged dev quality over the epochs, beside the paper's Figure 9."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from limaflow.analysis.epochs import EpochPoint, epoch_curve
from limaflow.analysis.exhibit import Figure, Files, Options
from limaflow.analysis.paper import paper
from limaflow.analysis.study import Study
from limaflow.jsonl import read_json
from limaflow.plot_style import BLUE, GREY, ORANGE, columns, drawing, empty, error_bars
from limaflow.records import ModelManifest

FAR = 3
"""Highest over lowest perplexity from which on the axis is logarithmic."""


def inputs(study: Study) -> Files:
    return {
        "training": [study.results.training(study.lima)],
        "grades": study.dev_grades(),
        "chosen": [study.results.chosen_model(study.lima)],
    }


def applies(study: Study) -> bool:
    return study.lima_is_tuned


def read(files: Files, options: Options) -> list[EpochPoint]:
    chosen = [read_json(path, ModelManifest).notes.get("epoch") for path in files.get("chosen", [])]
    points = epoch_curve(
        files["training"][0],
        files.get("grades", []),
        rounds=options.rounds,
        confidence=options.confidence,
        seed=options.seed,
    )
    return [replace(point, is_chosen=point.epoch in chosen) for point in points]


def rows(points: Sequence[EpochPoint]) -> list[dict[str, object]]:
    """Ours by epoch, the paper's by training step."""
    record = paper()
    where = f"arXiv {record.arxiv} {record.epochs.place} [{record.epochs.mark}]"
    ours: list[dict[str, object]] = [
        {
            "origin": "measured",
            "epoch": point.epoch,
            "step": None,
            "perplexity": point.perplexity,
            **columns("quality", point.quality),
            "chosen": "yes" if point.is_chosen else "",
        }
        for point in points
    ]
    theirs: list[dict[str, object]] = [
        {
            "origin": where,
            "epoch": None,
            "step": row.step,
            "perplexity": row.perplexity,
            "quality": row.quality,
            "quality_low": None,
            "quality_high": None,
            "chosen": None,
        }
        for row in record.epochs.rows
    ]
    return ours + theirs


def draw(data: Sequence[EpochPoint], path: Path, *, miniature: bool) -> None:
    """The paper's x axis counts steps."""
    of_paper = paper().epochs
    with drawing(path, width=7.2, height=4.2, miniature=miniature) as figure:
        (perplexity, theirs), (quality, theirs_below) = figure.subplots(2, 2, sharex="col")
        perplexity.set_title("measured here")
        known = [(p.epoch, p.perplexity) for p in data if p.perplexity is not None]
        perplexity.set_ylabel("dev perplexity")
        if known:
            perplexity.plot(*zip(*known, strict=True), color=ORANGE, marker="o")
        else:
            empty(perplexity, "no dev perplexity")
        _falls_far(perplexity, [value for _, value in known])
        for point in (point for point in data if point.is_chosen):
            for axes in (perplexity, quality):
                axes.axvline(point.epoch, color=GREY, ls=":", lw=1.2, zorder=0)
            perplexity.set_title(f"measured here (chosen: epoch {point.epoch})")
        judged = [(p.epoch, p.quality) for p in data if p.quality is not None]
        if judged:
            quality.errorbar(
                [epoch for epoch, _ in judged],
                [interval.estimate for _, interval in judged],
                yerr=error_bars([interval for _, interval in judged]),
                color=BLUE,
                marker="o",
                capsize=3,
            )
        else:
            empty(quality, "no judged dev answers")
        quality.set_ylabel("mean dev grade, 1–6")
        quality.set_xlabel("epoch")
        steps = [row.step for row in of_paper.rows]
        theirs.set_title(f"the paper's {of_paper.model} model ({of_paper.place})", color=GREY)
        theirs.plot(steps, [row.perplexity for row in of_paper.rows], color=GREY, marker="s")
        theirs_below.plot(steps, [row.quality for row in of_paper.rows], color=GREY, marker="s")
        theirs_below.set_xlabel("training step")
        for axes in (perplexity, theirs, quality, theirs_below):
            axes.grid(color="#eeeeee")
        quality.xaxis.get_major_locator().set_params(integer=True)


def _falls_far(axes: Any, values: Sequence[float]) -> None:
    """A logarithmic axis where a perplexity of thousands would press the rest onto the ground."""
    if values and min(values) > 0 and max(values) > FAR * min(values):
        from matplotlib.ticker import LogLocator

        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter("{x:,g}")
        axes.yaxis.set_minor_formatter(lambda *_: "")
        axes.set_ylabel("dev perplexity (log)")


FIGURE = Figure(
    inputs=inputs,
    read=read,
    rows=rows,
    draw=draw,
    caption="Perplexity on held-out dev answers and mean grade of the dev answers over epochs, "
    "beside the paper’s Figure 9. The checkpoint is chosen by the grade; a dotted line marks it.",
    category="Epochs",
    applies=applies,
    uses=("bootstrap",),
    beside_paper=True,
)
