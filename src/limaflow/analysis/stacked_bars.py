"""Stacked bars of shares that sum to one, one bar a row: the form of the paper's Figures 1 to 3."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from limaflow.intervals import Interval
from limaflow.plot_style import BLUE, LIGHT, ORANGE, columns, drawing, empty

BEST_TO_WORST = (BLUE, "#56B4E9", LIGHT, "#E69F00", ORANGE)
MEASURED = "measured"
Row = dict[str, object]


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One bar; shares from 0 to 1 by name, the best first. The paper's bars have no intervals."""

    label: str
    origin: str
    shares: Mapping[str, Interval]

    @property
    def is_ours(self) -> bool:
        return self.origin == MEASURED


Panels = Mapping[str, Sequence[Bar]]
"""Title → bars whose shares have the same names."""


def exact(percent: float) -> Interval:
    """A share in per cent that has no interval."""
    return Interval(percent / 100, percent / 100, percent / 100)


def rows(panels: Panels) -> list[Row]:
    """One row a bar; each panel has the columns of its own shares."""
    found: list[Row] = [
        {
            **({"instrument": title} if title else {}),
            "bar": bar.label.replace("\n", ", "),
            "origin": bar.origin,
            **{k: v for name, share in bar.shares.items() for k, v in columns(name, share).items()},
        }
        for title, bars in panels.items()
        for bar in bars
    ]
    names = dict.fromkeys(name for row in found for name in row)
    return [{name: row.get(name) for name in names} for row in found]


def draw(panels: Panels, path: Path, *, nothing: str, miniature: bool) -> None:
    """Write the figure, one panel below the other; only one of several has its title.

    Args:
        nothing: what an empty figure says.
    """
    panels = {title: bars for title, bars in panels.items() if bars}
    heights = [1.4 + 0.56 * max(2, len(bars)) for bars in panels.values()]
    height = sum(heights) or 2.52
    with drawing(path, width=7.2, height=height, miniature=miniature) as figure:
        if not panels:
            empty(figure.subplots(), nothing)
            return
        if len(panels) == 1:
            _panel(figure, *panels.values())
            return
        parts = figure.subfigures(len(panels), 1, height_ratios=heights)
        for part, (title, bars) in zip(parts, panels.items(), strict=True):
            part.suptitle(title, fontsize=10, x=0.01, ha="left")
            _panel(part, bars)


def _panel(figure: Any, bars: Sequence[Bar]) -> None:
    axes = figure.subplots()
    for place, bar in enumerate(bars):
        _draw_bar(axes, place, bar)
    best, *_, worst = bars[0].shares
    axes.set_yticks(range(len(bars)), [bar.label for bar in bars])
    axes.set_ylim(len(bars) - 0.4, -0.6)
    axes.set_xlim(0, 1)
    axes.xaxis.set_major_formatter("{x:.0%}")
    axes.set_xlabel(
        f"share of prompts\nwhiskers: interval of {best} (above) and of {worst} (below)"
    )
    figure.legend(*axes.get_legend_handles_labels(), loc="outside upper right", ncols=3)


def _colours(number: int) -> list[str]:
    """As many colours as there are shares, from that of the best to that of the worst."""
    last = len(BEST_TO_WORST) - 1
    return [BEST_TO_WORST[round(place * last / max(1, number - 1))] for place in range(number)]


def _draw_bar(axes: Any, place: int, bar: Bar) -> None:
    left = 0.0
    for (name, share), colour in zip(bar.shares.items(), _colours(len(bar.shares)), strict=True):
        axes.barh(
            place,
            share.estimate,
            left=left,
            color=colour,
            height=0.62,
            alpha=1 if bar.is_ours else 0.55,
            hatch=None if bar.is_ours else "///",
            edgecolor="white",
            label=name if place == 0 else None,
        )
        if share.estimate >= 0.06:
            dark = colour in (BLUE, ORANGE) and bar.is_ours
            axes.text(
                left + share.estimate / 2,
                place,
                f"{share.estimate:.0%}",
                ha="center",
                va="center",
                color="white" if dark else "black",
            )
        left += share.estimate
    if bar.is_ours:
        best, *_, worst = bar.shares.values()
        for low, high, at in (
            (best.low, best.high, place - 0.38),
            (1 - worst.high, 1 - worst.low, place + 0.38),
        ):
            axes.plot([low, high], [at] * 2, color="black", lw=1.2, marker="|", ms=5)
