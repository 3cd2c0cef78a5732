"""How many rows of each source are left after each step of curation."""

from collections.abc import Mapping
from math import ceil
from pathlib import Path
from typing import Any

from limaflow.analysis.exhibit import Figure, Files, Options
from limaflow.analysis.study import Study
from limaflow.curation.funnel import Funnel
from limaflow.jsonl import read_json
from limaflow.plot_style import BLUE, GREY, ORANGE, drawing, empty

Levels = dict[str, dict[str, int]]
"""Label → source → how many are left."""

COLUMNS = 3
NAMES = {
    "extract": "candidates",
    "filter": "after the rules",
    "deduplicate": "without duplicates",
    "decontaminate": "without shared text",
}


def inputs(study: Study) -> Files:
    return {"funnel": [study.results.funnel]}


def read(files: Files, options: Options) -> Levels:
    return levels(read_json(files["funnel"][0], Funnel))


def levels(funnel: Funnel) -> Levels:
    """What is left after each step; the first level is what came into the first step.

    A data set is one level, as large as it is after its last step.
    """
    left: Levels = {}
    for step in funnel.steps:
        if step.step == funnel.steps[0].step and step.dataset == funnel.steps[0].dataset:
            first = "rows of raw files" if step.step == "extract" else "candidates"
            left.setdefault(first, {})[step.source] = step.came
    for step in funnel.steps:
        if step.step == "hold_out":
            continue
        label = f"data set {step.dataset}" if step.dataset else NAMES.get(step.step, step.step)
        label += f" ({step.pool})" if step.pool else ""
        left.setdefault(label, {})[step.source] = step.stayed
    for split, counts in sorted(funnel.prompts.items()):
        if counts:
            left[f"{split} prompts"] = dict(counts)
    return left


def rows(left: Levels) -> list[dict[str, object]]:
    sources = _sources(left)
    return [
        {
            "step": label,
            "total": sum(kept.values()),
            **{source: kept.get(source, 0) for source in sources},
        }
        for label, kept in left.items()
    ]


def _sources(left: Levels) -> list[str]:
    return list(dict.fromkeys(source for counts in left.values() for source in counts))


def draw(data: Levels, path: Path, *, miniature: bool) -> None:
    """One panel a source."""
    left, sources = data, _sources(data)
    rows = ceil(len(sources) / COLUMNS)
    height = 0.6 + max(1, rows) * (0.45 + 0.17 * len(left))
    with drawing(path, width=7.6, height=max(2.0, height), miniature=miniature) as figure:
        if not left:
            empty(figure.subplots(), "no curation steps")
            return
        panels = figure.subplots(rows, COLUMNS, sharex=True, sharey=True, squeeze=False)
        most = max(count for kept in left.values() for count in kept.values())
        for number, axes in enumerate(panels.flat):
            if number < len(sources):
                _panel(axes, sources[number], left, most)
            else:
                axes.set_axis_off()
        note = "how many of each source are left after each step; the axis is logarithmic"
        figure.suptitle(note, fontsize=8, color=GREY, x=0.01, ha="left")


def _panel(axes: Any, source: str, left: Mapping[str, Mapping[str, int]], most: int) -> None:
    for row, (label, kept) in enumerate(left.items()):
        if source not in kept:
            continue
        taken = label.startswith(("data set ", "dev ", "test "))
        # Dots, since the length of a bar means nothing where its axis has no zero.
        if kept[source]:
            axes.plot(
                kept[source], row, "s" if taken else "o", ms=4, color=ORANGE if taken else BLUE
            )
        axes.text(max(kept[source], 0.7) * 1.4, row, f"{kept[source]:,}", va="center", fontsize=7)
    axes.set_title(source, fontsize=8)
    axes.set_xscale("log")
    axes.set_xlim(0.7, max(10, most) * 9)
    axes.set_yticks(range(len(left)), left, fontsize=7)
    axes.set_ylim(len(left) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.tick_params(axis="x", labelsize=6)
    axes.grid(axis="x", color="#eeeeee")


FIGURE = Figure(
    inputs=inputs,
    read=read,
    rows=rows,
    draw=draw,
    caption="How many rows of each source are left after each step of curation; orange squares: "
    "what data sets and prompts took.",
    category="Curation",
)
