"""Win, tie and lose of every comparison, beside the paper's Figures 1 and 2; and as a table."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from limaflow.analysis import stacked_bars
from limaflow.analysis.exhibit import Figure, Files, Options, Table
from limaflow.analysis.paper import Paper, paper
from limaflow.analysis.stacked_bars import MEASURED, Bar, Row, exact
from limaflow.analysis.study import Study
from limaflow.jsonl import read_json
from limaflow.measures.length_control import METHOD
from limaflow.measures.summaries import Preference
from limaflow.plot_style import columns


def inputs(study: Study) -> Files:
    return {"preferences": [study.results.analysis("preferences")]}


def read(files: Files, options: Options) -> list[Preference]:
    return read_json(files["preferences"][0], list[Preference])


def read_bars(files: Files, options: Options) -> list[Bar]:
    return bars(read(files, options), options.lima, paper(), options.stands_for)


def rows_of_bars(found: Sequence[Bar]) -> list[Row]:
    return stacked_bars.rows({"": found})


def draw(data: Sequence[Bar], path: Path, *, miniature: bool) -> None:
    stacked_bars.draw({"": data}, path, nothing="no comparisons", miniature=miniature)


def bars(
    preferences: Sequence[Preference],
    lima: str,
    paper: Paper,
    stands_for: Mapping[str, Sequence[str]],
) -> list[Bar]:
    """Ours from the view of the LIMA arm where it takes part; all of one pair stand together,
    followed by the paper's bars for the baseline that the other arm stands for."""
    pairs: dict[tuple[str, str], list[Preference]] = defaultdict(list)
    for preference in preferences:
        seen = preference.seen_from(lima) if lima == preference.second else preference
        pairs[seen.first, seen.second].append(seen)
    return [
        bar
        for (first, second), judged in pairs.items()
        for bar in (
            *map(_bar, judged),
            *(_of_the_paper(second, paper, stands_for) if first == lima else ()),
        )
    ]


def _bar(preference: Preference) -> Bar:
    return Bar(
        label=f"{preference.first} vs {preference.second}\n"
        f"{preference.judge}, {preference.prompts} prompts",
        origin=MEASURED,
        shares={"win": preference.win, "tie": preference.tie, "lose": preference.lose},
    )


def _of_the_paper(arm: str, paper: Paper, stands_for: Mapping[str, Sequence[str]]) -> list[Bar]:
    return [
        Bar(
            label=f"paper: LIMA vs {row.baseline}\n{row.annotator}, {row.place}",
            origin=f"arXiv {paper.arxiv} {row.place}",
            shares={"win": exact(row.win), "tie": exact(row.tie), "lose": exact(row.lose)},
        )
        for row in paper.preferences.rows
        if any(arm in stands_for.get(name, ()) for name in row.arms)
    ]


def rows(preferences: Sequence[Preference]) -> list[Row]:
    """One row a comparison and judge; shares from 0 to 1 with their intervals."""
    return [
        {
            "first": p.first,
            "second": p.second,
            "judge": p.judge,
            "prompts": p.prompts,
            "errors": p.errors,
            **columns("win", p.win),
            **columns("tie", p.tie),
            **columns("lose", p.lose),
            **columns("adjusted_win", p.adjusted_win),
            **columns("graded_win", p.graded_win),
            "adjusted_win_standard_error": p.standard_errors.adjusted_win,
            "graded_win_standard_error": p.standard_errors.graded_win,
            "p_value": p.p_value,
            "permutation_p_value": p.permutation_p_value,
            **columns("position_consistency", p.position_consistency),
            **columns("first_slot_share", p.first_slot_share),
            **columns("longer_wins", p.longer_wins),
            **columns("length_controlled_win", p.length_controlled_win.interval),
            "length_control": METHOD,
            "length_control_refused": p.length_controlled_win.refused,
            "prompts_needed": p.power.prompts_needed if p.power else None,
        }
        for p in preferences
    ]


FIGURE = Figure(
    inputs=inputs,
    read=read_bars,
    rows=rows_of_bars,
    draw=draw,
    caption="Win, tie and lose of each comparison over the test prompts, from the view of the arm "
    "named first. Hatched bars are the paper’s, where an arm stands for one of its baselines.",
    category="Preferences",
    uses=("lima", "stands_for"),
    beside_paper=True,
)
TABLE = Table(inputs=inputs, read=read, rows=rows)
