"""Win, tie and lose of each comparison as stacked bars: the form of the paper's Figures 1 and 2."""

from collections.abc import Sequence

from limaflow.analysis.figures.stacks import MEASURED, Bar, exact
from limaflow.analysis.paper import Paper
from limaflow.summaries import Preference


def bars(preferences: Sequence[Preference], lima: str, paper: Paper) -> list[Bar]:
    """Ours from the view of the LIMA arm where it takes part, each followed by the paper's bars
    for a baseline of the same name."""
    rows = []
    for preference in preferences:
        seen = preference.seen_from(lima) if lima == preference.second else preference
        rows.append(
            Bar(
                label=f"{seen.first} vs {seen.second}\n{seen.judge}, {seen.prompts} prompts",
                origin=MEASURED,
                shares={"win": seen.win, "tie": seen.tie, "lose": seen.lose},
            )
        )
        rows += [
            Bar(
                label=f"paper: LIMA vs {row.baseline}\n{row.annotator}, {row.place}",
                origin=f"arXiv {paper.arxiv} {row.place}",
                shares={"win": exact(row.win), "tie": exact(row.tie), "lose": exact(row.lose)},
            )
            for row in paper.preferences.rows
            if seen.first == lima and seen.second in row.arms
        ]
    return rows
