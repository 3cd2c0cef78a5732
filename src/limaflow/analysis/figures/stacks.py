"""Stacked bars of shares that sum to one, one bar a row: the form of the paper's Figures 1 to 3."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from limaflow.measures.intervals import Interval
from limaflow.plot_style import BLUE, LIGHT, ORANGE, columns, drawing, empty, write_csv

COLOURS = (BLUE, LIGHT, ORANGE)
MEASURED = "measured"


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One bar; shares from 0 to 1 by name, the best first. The paper's bars have no intervals."""

    label: str
    origin: str
    shares: Mapping[str, Interval]

    @property
    def is_ours(self) -> bool:
        return self.origin == MEASURED


def exact(percent: float) -> Interval:
    """A share that is told in per cent and without interval."""
    return Interval(percent / 100, percent / 100, percent / 100)


def draw(bars: Sequence[Bar], path: Path, *, nothing: str, miniature: bool) -> None:
    """Write the figure, and its numbers beside it as CSV.

    Args:
        nothing: what an empty figure says.
    """
    write_csv(
        path.with_suffix(".csv"),
        [
            {
                "bar": bar.label.replace("\n", ", "),
                "origin": bar.origin,
                **{
                    k: v
                    for name, share in bar.shares.items()
                    for k, v in columns(name, share).items()
                },
            }
            for bar in bars
        ],
    )
    height = 1.4 + 0.56 * max(2, len(bars))
    with drawing(path, width=7.2, height=height, miniature=miniature) as figure:
        axes = figure.subplots()
        if not bars:
            empty(axes, nothing)
            return
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


def _draw_bar(axes: Any, place: int, bar: Bar) -> None:
    left = 0.0
    for (name, share), colour in zip(bar.shares.items(), COLOURS, strict=True):
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
            axes.text(
                left + share.estimate / 2,
                place,
                f"{share.estimate:.0%}",
                ha="center",
                va="center",
                color="black" if colour == LIGHT or not bar.is_ours else "white",
            )
        left += share.estimate
    if bar.is_ours:
        best, *_, worst = bar.shares.values()
        for low, high, at in (
            (best.low, best.high, place - 0.38),
            (1 - worst.high, 1 - worst.low, place + 0.38),
        ):
            axes.plot([low, high], [at] * 2, color="black", lw=1.2, marker="|", ms=5)
