"""Numbers of ours and the paper's, side by side: as rows, in print, and drawn."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from limaflow.analysis.artifacts.artifact import Line
from limaflow.intervals import Interval
from limaflow.plot_style import BLUE, GREY, PRINTED, columns, drawing, empty, error_bars

Row = dict[str, object]


def rows(lines: Sequence[Line]) -> list[Row]:
    """One row a number."""
    return [
        {
            "quantity": line.panel,
            "of": line.label,
            **columns("ours", line.ours),
            "measured_by": line.basis,
            **columns("paper", line.paper),
            "place": line.place,
        }
        for line in lines
    ]


def printed(lines: Sequence[Line]) -> list[dict[str, str]]:
    """The same as one prints it: an interval in one cell."""
    return [
        {
            "quantity": line.panel,
            "of": line.label,
            "ours": in_words(line.ours),
            "measured by": line.basis,
            "paper": in_words(line.paper),
            "place": line.place,
        }
        for line in lines
    ]


def in_words(found: Interval | None) -> str:
    """`5.68 [5.41, 5.86]`, without brackets where there is no interval; a dash for None."""
    if found is None:
        return "–"
    form = ".1f" if abs(found.estimate) >= 10 else ".2f"
    if found.low == found.high:
        return f"{found.estimate:{form}}"
    return f"{found.estimate:{form}} [{found.low:{form}}, {found.high:{form}}]"


def draw(data: Sequence[Line], path: Path, *, miniature: bool) -> None:
    """A dot and its interval a line, ours above the paper's; one panel a quantity."""
    panels: dict[str, list[Line]] = {}
    for line in data:
        panels.setdefault(line.panel, []).append(line)
    heights = [1.1 + 0.34 * len(found) for found in panels.values()] or [1.5]
    with drawing(
        path, width=7.2, height=sum(heights) + 0.4, miniature=miniature, also=PRINTED
    ) as figure:
        if not data:
            empty(figure.subplots(), "nothing is measured")
            return
        grid = figure.subplots(len(panels), 1, squeeze=False, height_ratios=heights)
        for (axes,), (name, found) in zip(grid, panels.items(), strict=True):
            _panel(axes, name, found)
        figure.legend(*_legend(grid[0][0]), loc="outside upper right", ncols=2)


def _legend(axes: Any) -> tuple[list[Any], list[str]]:
    ours = axes.errorbar([], [], xerr=[], fmt="o", color=BLUE, capsize=2)
    theirs = axes.errorbar([], [], xerr=[], fmt="s", color=GREY, mfc="white", capsize=2)
    return [ours, theirs], ["ours", "the paper’s"]


def _panel(axes: Any, name: str, lines: Sequence[Line]) -> None:
    ours = [(place, line.ours) for place, line in enumerate(lines) if line.ours]
    theirs = [(place, line.paper) for place, line in enumerate(lines) if line.paper]
    for found, shift, form in (
        (ours, -0.12, {"fmt": "o", "color": BLUE}),
        (theirs, 0.16, {"fmt": "s", "color": GREY, "mfc": "white"}),
    ):
        axes.errorbar(
            [interval.estimate for _, interval in found],
            [place + shift for place, _ in found],
            xerr=error_bars([interval for _, interval in found]) if found else None,
            ms=4.5,
            capsize=2,
            **form,
        )
    axes.set_yticks(range(len(lines)), [line.label for line in lines])
    axes.set_ylim(len(lines) - 0.5, -0.5)
    axes.grid(axis="x", color="#eeeeee")
    axes.set_xlabel(name)
    for place, line in enumerate(lines):
        axes.text(
            1.02,
            place,
            f"{in_words(line.ours)} | {in_words(line.paper)}",
            va="center",
            fontsize=7.5,
            transform=axes.get_yaxis_transform(),
        )
