"""Win, tie and lose of each comparison as stacked bars: the form of the paper's Figures 1 and 2."""

from collections import defaultdict
from collections.abc import Sequence

from limaflow.analysis.figures.stacks import MEASURED, Bar, exact
from limaflow.analysis.paper import Paper
from limaflow.measures.summaries import Preference


def bars(preferences: Sequence[Preference], lima: str, paper: Paper) -> list[Bar]:
    """Ours from the view of the LIMA arm where it takes part; all of one pair stand together,
    followed by the paper's bars for a baseline of the same name."""
    pairs: dict[tuple[str, str], list[Preference]] = defaultdict(list)
    for preference in preferences:
        seen = preference.seen_from(lima) if lima == preference.second else preference
        pairs[seen.first, seen.second].append(seen)
    return [
        bar
        for (first, second), judged in pairs.items()
        for bar in (*map(_ours, judged), *(_of_the_paper(second, paper) if first == lima else ()))
    ]


def _ours(preference: Preference) -> Bar:
    return Bar(
        label=f"{preference.first} vs {preference.second}\n"
        f"{preference.judge}, {preference.prompts} prompts",
        origin=MEASURED,
        shares={"win": preference.win, "tie": preference.tie, "lose": preference.lose},
    )


def _of_the_paper(arm: str, paper: Paper) -> list[Bar]:
    return [
        Bar(
            label=f"paper: LIMA vs {row.baseline}\n{row.annotator}, {row.place}",
            origin=f"arXiv {paper.arxiv} {row.place}",
            shares={"win": exact(row.win), "tie": exact(row.tie), "lose": exact(row.lose)},
        )
        for row in paper.preferences.rows
        if arm in row.arms
    ]
