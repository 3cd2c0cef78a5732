"""Win, tie and lose of whole dialogues, script by script; the paper compared none."""

from collections.abc import Sequence
from pathlib import Path

from limaflow.analysis import stacked_bars
from limaflow.analysis.exhibit import Figure, Files, Options, Table
from limaflow.analysis.exhibits.preferences import rows
from limaflow.analysis.stacked_bars import MEASURED, Bar
from limaflow.analysis.study import Study
from limaflow.jsonl import read_json
from limaflow.measures.summaries import Preference


def inputs(study: Study) -> Files:
    return {"preferences": [study.results.analysis("dialogue_preferences")]}


def applies(study: Study) -> bool:
    return study.compares_dialogues


def read(files: Files, options: Options) -> list[Preference]:
    return read_json(files["preferences"][0], list[Preference])


def draw(data: Sequence[Preference], path: Path, *, miniature: bool) -> None:
    stacked_bars.draw(
        {"": [_bar(one) for one in data]}, path, nothing="no comparisons", miniature=miniature
    )


def _bar(preference: Preference) -> Bar:
    return Bar(
        label=f"{preference.first} vs {preference.second}\n"
        f"{preference.judge}, {preference.prompts} dialogues",
        origin=MEASURED,
        shares={"win": preference.win, "tie": preference.tie, "lose": preference.lose},
    )


FIGURE = Figure(
    inputs=inputs,
    read=read,
    rows=rows,
    draw=draw,
    caption="Win, tie and lose of whole dialogues of the same scripts, from the view of the arm "
    "named first; intervals are over scripts.",
    category="Dialogues",
    applies=applies,
)
TABLE = Table(inputs=inputs, read=read, rows=rows, applies=applies)
