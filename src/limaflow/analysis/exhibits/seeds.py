"""Each number of an arm that was trained with several seeds: a dot a seed, beside the interval."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from limaflow.analysis.exhibit import Figure, Files, Options
from limaflow.analysis.study import Study
from limaflow.analysis.training_seeds import Spread
from limaflow.jsonl import read_json
from limaflow.plot_style import BLUE, GREY, ORANGE, columns, drawing, empty, error_bars

Row = dict[str, object]
AXES = {
    "preference": "wins and half the ties",
    "grade": "mean grade",
    "benchmark": "benchmark score minus the base’s",
}
"""Quantity → what its panel shows."""


def inputs(study: Study) -> Files:
    return {"seeds": [study.results.analysis("seeds")]}


def applies(study: Study) -> bool:
    return bool(study.further_seeds)


def read(files: Files, options: Options) -> list[Spread]:
    return read_json(files["seeds"][0], list[Spread])


def rows(data: Sequence[Spread]) -> list[Row]:
    """One row a number and seed, with the interval of the arm's summary."""
    return [
        {
            "quantity": spread.quantity,
            "arm": spread.arm,
            "subject": spread.subject,
            "judge": spread.judge,
            "trained": seed.arm,
            "compared_with": seed.other,
            "estimate": seed.estimate,
            **columns("interval", spread.interval),
            "interval_holds_seeds": spread.holds_seeds,
        }
        for spread in data
        for seed in spread.seeds
    ]


def draw(data: Sequence[Spread], path: Path, *, miniature: bool) -> None:
    """A panel a quantity; the first seed's dot is filled."""
    panels = {name: found for name in AXES if (found := [s for s in data if s.quantity == name])}
    lines = [len(found) + 1.6 for found in panels.values()] or [3]
    with drawing(path, width=7.2, height=0.6 + 0.42 * sum(lines), miniature=miniature) as figure:
        if not panels:
            empty(figure.subplots(), "no number of an arm with several seeds")
            return
        grid = figure.subplots(len(panels), 1, squeeze=False, height_ratios=lines)[:, 0]
        for axes, (name, found) in zip(grid, panels.items(), strict=True):
            _draw_panel(axes, found)
            axes.set_xlabel(AXES[name])
        figure.legend(*grid[0].get_legend_handles_labels(), loc="outside upper right", ncols=3)


def _draw_panel(axes: Any, found: Sequence[Spread]) -> None:
    places = range(len(found))
    held = all(spread.holds_seeds for spread in found)
    axes.errorbar(
        [spread.interval.estimate for spread in found],
        [place + 0.18 for place in places],
        xerr=error_bars([spread.interval for spread in found]),
        fmt="none",
        ecolor=GREY,
        capsize=3,
        label="interval, over seeds too" if held else "interval of the first seed",
    )
    for label, colour, which in (
        ("first seed", BLUE, slice(0, 1)),
        ("further seeds", ORANGE, slice(1, None)),
    ):
        dots = [
            (seed.estimate, place - 0.12)
            for place, spread in zip(places, found, strict=True)
            for seed in spread.seeds[which]
        ]
        axes.scatter(*zip(*dots, strict=True), s=26, color=colour, label=label, zorder=3)
    axes.set_yticks(places, [_label(spread) for spread in found])
    axes.set_ylim(len(found) - 0.4, -0.6)
    if found[0].quantity == "preference":
        axes.set_xlim(-0.02, 1.02)
        axes.axvline(0.5, color=GREY, lw=0.8, ls=":")
    if found[0].quantity == "benchmark":
        axes.axvline(0, color=GREY, lw=0.8, ls=":")
    axes.grid(axis="x", color="#eeeeee")


def _label(spread: Spread) -> str:
    against = " vs " if spread.quantity == "preference" else ", "
    judge = f"\n{spread.judge}" if spread.judge else ""
    return f"{spread.arm}{against}{spread.subject}{judge}"


FIGURE = Figure(
    inputs=inputs,
    read=read,
    rows=rows,
    draw=draw,
    caption="Each training seed of an arm as a dot. Under five seeds the interval is that of the "
    "first seed and holds prompts or items alone; dots outside it say that trainings differ by "
    "more. From five seeds on it is about their mean and holds the variance between them.",
    category="Training",
    applies=applies,
)
