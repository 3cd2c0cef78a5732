"""Win, tie and lose of each comparison as stacked bars: the form of the paper's Figures 1 and 2."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from limaflow.analysis.canvas import BLUE, LIGHT, ORANGE, columns, drawing, empty, write_csv
from limaflow.analysis.paper import Paper
from limaflow.intervals import Interval
from limaflow.summaries import Preference


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One bar; shares from 0 to 1. The paper's bars have no intervals."""

    label: str
    origin: str
    win: Interval
    tie: Interval
    lose: Interval

    @property
    def is_ours(self) -> bool:
        return self.origin == "measured"


def bars(preferences: Sequence[Preference], lima: str, paper: Paper) -> list[Bar]:
    """Ours from the view of the LIMA arm where it takes part, each followed by the paper's bars
    for a baseline of the same name."""
    rows = []
    for preference in preferences:
        seen = preference.seen_from(lima) if lima == preference.second else preference
        rows.append(
            Bar(
                label=f"{seen.first} vs {seen.second}\n{seen.judge}, {seen.prompts} prompts",
                origin="measured",
                win=seen.win,
                tie=seen.tie,
                lose=seen.lose,
            )
        )
        rows += [
            Bar(
                label=f"paper: LIMA vs {row.baseline}\n{row.annotator}, {row.place}",
                origin=f"arXiv {paper.arxiv} {row.place}",
                win=_exact(row.win),
                tie=_exact(row.tie),
                lose=_exact(row.lose),
            )
            for row in paper.preferences.rows
            if seen.first == lima and seen.second in row.arms
        ]
    return rows


def _exact(percent: float) -> Interval:
    return Interval(percent / 100, percent / 100, percent / 100)


def draw(rows: Sequence[Bar], path: Path, *, miniature: bool) -> None:
    """Write the figure, and its numbers beside it as CSV."""
    write_csv(
        path.with_suffix(".csv"),
        [
            {
                "comparison": row.label.replace("\n", ", "),
                "origin": row.origin,
                **columns("win", row.win),
                **columns("tie", row.tie),
                **columns("lose", row.lose),
            }
            for row in rows
        ],
    )
    with drawing(
        path, width=7.2, height=1.2 + 0.56 * max(2, len(rows)), miniature=miniature
    ) as figure:
        axes = figure.subplots()
        if not rows:
            empty(axes, "no comparisons")
            return
        for height, row in enumerate(rows):
            left = 0.0
            for name, share, colour in (
                ("win", row.win, BLUE),
                ("tie", row.tie, LIGHT),
                ("lose", row.lose, ORANGE),
            ):
                axes.barh(
                    height,
                    share.estimate,
                    left=left,
                    color=colour,
                    height=0.62,
                    alpha=1 if row.is_ours else 0.55,
                    hatch=None if row.is_ours else "///",
                    edgecolor="white",
                    label=name if height == 0 else None,
                )
                if share.estimate >= 0.06:
                    axes.text(
                        left + share.estimate / 2,
                        height,
                        f"{share.estimate:.0%}",
                        ha="center",
                        va="center",
                        color="black" if name == "tie" or not row.is_ours else "white",
                    )
                left += share.estimate
            if row.is_ours:
                for low, high, place in (
                    (row.win.low, row.win.high, height - 0.38),
                    (1 - row.lose.high, 1 - row.lose.low, height + 0.38),
                ):
                    axes.plot([low, high], [place] * 2, color="black", lw=1.2, marker="|", ms=5)
        axes.set_yticks(range(len(rows)), [row.label for row in rows])
        axes.invert_yaxis()
        axes.set_xlim(0, 1)
        axes.xaxis.set_major_formatter("{x:.0%}")
        axes.set_xlabel("share of prompts; whiskers: interval of win (above) and of lose (below)")
        figure.legend(*axes.get_legend_handles_labels(), loc="outside upper right", ncols=3)
