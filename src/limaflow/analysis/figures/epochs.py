"""Dev perplexity and judged dev quality over the epochs, beside the paper's Figure 9."""

from collections.abc import Sequence
from pathlib import Path

from limaflow.analysis.epochs import EpochPoint
from limaflow.analysis.paper import Paper
from limaflow.plot_style import BLUE, GREY, ORANGE, columns, drawing, empty, error_bars, write_csv


def draw(points: Sequence[EpochPoint], paper: Paper, path: Path, *, miniature: bool) -> None:
    """Write the figure, and its numbers beside it as CSV; the paper's x axis counts steps."""
    where = f"arXiv {paper.arxiv} {paper.epochs.place} [{paper.epochs.mark}]"
    write_csv(
        path.with_suffix(".csv"),
        [
            {
                "origin": "measured",
                "epoch": point.epoch,
                "step": None,
                "perplexity": point.perplexity,
                **columns("quality", point.quality),
            }
            for point in points
        ]
        + [
            {
                "origin": where,
                "epoch": None,
                "step": row.step,
                "perplexity": row.perplexity,
                "quality": row.quality,
                "quality_low": None,
                "quality_high": None,
            }
            for row in paper.epochs.rows
        ],
    )
    with drawing(path, width=7.2, height=4.2, miniature=miniature) as figure:
        (perplexity, theirs), (quality, theirs_below) = figure.subplots(2, 2, sharex="col")
        perplexity.set_title("measured here")
        known = [(p.epoch, p.perplexity) for p in points if p.perplexity is not None]
        if known:
            perplexity.plot(*zip(*known, strict=True), color=ORANGE, marker="o")
        else:
            empty(perplexity, "no dev perplexity")
        judged = [(p.epoch, p.quality) for p in points if p.quality is not None]
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
        perplexity.set_ylabel("dev perplexity")
        quality.set_ylabel("mean dev grade, 1–6")
        quality.set_xlabel("epoch")
        steps = [row.step for row in paper.epochs.rows]
        theirs.set_title(
            f"the paper's {paper.epochs.model} model ({paper.epochs.place})", color=GREY
        )
        theirs.plot(steps, [row.perplexity for row in paper.epochs.rows], color=GREY, marker="s")
        theirs_below.plot(steps, [row.quality for row in paper.epochs.rows], color=GREY, marker="s")
        theirs_below.set_xlabel("training step")
        for axes in (perplexity, theirs, quality, theirs_below):
            axes.grid(color="#eeeeee")
        quality.xaxis.get_major_locator().set_params(integer=True)
