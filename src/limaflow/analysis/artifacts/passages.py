"""Texts of ours beside what the paper shows: as rows, in print, and drawn."""

import textwrap
from collections.abc import Sequence
from pathlib import Path

from limaflow.analysis.artifacts.artifact import Passage
from limaflow.plot_style import GREY, PRINTED, drawing, empty

WIDTH = 58
"""Characters of a drawn line."""
LONGEST = 24
"""Lines of a drawn text; the tables hold it whole."""
CUT = "[cut in this picture; whole in the tables]"


def rows(passages: Sequence[Passage]) -> list[dict[str, object]]:
    """One row a text."""
    return [dict(row) for row in printed(passages)]


def printed(passages: Sequence[Passage]) -> list[dict[str, str]]:
    return [{"of": p.label, "ours": p.ours, "paper": p.paper, "place": p.place} for p in passages]


def draw(data: Sequence[Passage], path: Path, *, miniature: bool) -> None:
    """Ours on the left, the paper's on the right; long texts are cut, and say so."""
    blocks = [(p, _wrapped(p.ours), _wrapped(f"{p.paper}\n({p.place})")) for p in data]
    heights = [2 + max(len(ours), len(theirs)) for _, ours, theirs in blocks] or [6]
    with drawing(
        path, width=8.4, height=0.5 + 0.155 * sum(heights), miniature=miniature, also=PRINTED
    ) as figure:
        axes = figure.subplots()
        axes.set_axis_off()
        if not data:
            empty(axes, "no texts")
            return
        axes.set_xlim(0, 1)
        axes.set_ylim(sum(heights), 0)
        top = 0
        for (passage, ours, theirs), height in zip(blocks, heights, strict=True):
            axes.text(0, top, passage.label, va="top", fontweight="bold")
            axes.text(0, top + 1, "\n".join(ours), va="top", fontsize=8, linespacing=1.3)
            axes.text(
                0.54, top + 1, "\n".join(theirs), va="top", fontsize=8, color=GREY, linespacing=1.3
            )
            top += height


def _wrapped(text: str) -> list[str]:
    lines = [line for part in text.splitlines() for line in textwrap.wrap(part, WIDTH) or ([""])]
    return lines if len(lines) <= LONGEST else [*lines[: LONGEST - 1], CUT]
