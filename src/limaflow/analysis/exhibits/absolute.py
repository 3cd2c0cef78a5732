"""Shares of each word of a scale (excellent, pass, fail; safe, unsafe), beside Figure 3."""

from collections.abc import Sequence
from pathlib import Path

from limaflow.analysis import stacked_bars
from limaflow.analysis.exhibit import Figure, Files, Options
from limaflow.analysis.graded_scales import are_numbers, by_instrument
from limaflow.analysis.paper import Paper, paper
from limaflow.analysis.stacked_bars import MEASURED, Bar, Panels, Row, exact
from limaflow.analysis.study import Study
from limaflow.jsonl import read_json
from limaflow.measures.summaries import GradeSummary

OF_FIGURE_3 = ("excellent", "pass", "fail")
THEIRS = {"50 test prompts": "", "20 prompts unlike the training's": "-unlike"}


def inputs(study: Study) -> Files:
    return {"grades": [study.results.analysis("grades")]}


def applies(study: Study) -> bool:
    return any(not are_numbers(words) for words in study.scales.values())


def read(files: Files, options: Options) -> Panels:
    return panels(read_json(files["grades"][0], list[GradeSummary]), paper())


def panels(grades: Sequence[GradeSummary], record: Paper) -> dict[str, list[Bar]]:
    """Instrument → one bar an arm and judge, then the paper's on the scale of its Figure 3."""
    found = {}
    for name, summaries in by_instrument(grades, numbers=False).items():
        words = summaries[0].words
        best_first = sorted(words, key=int, reverse=True)
        found[name] = [
            Bar(
                label=f"{grade.model}\n{grade.judge}, {grade.prompts} prompts",
                origin=MEASURED,
                shares={words[value]: grade.shares[value] for value in best_first},
            )
            for grade in summaries
        ]
        if tuple(words[value] for value in best_first) == OF_FIGURE_3:
            found[name] += _of_the_paper(record)
    return found


def _of_the_paper(record: Paper) -> list[Bar]:
    bars = []
    for prompts, suffix in THEIRS.items():
        values = {word: record.values[f"outputs-{word}{suffix}"] for word in OF_FIGURE_3}
        place = values["excellent"].place
        bars.append(
            Bar(
                label=f"paper: LIMA\n{prompts}, {place.split(',')[0]}",
                origin=f"arXiv {record.arxiv} {place}",
                shares={word: exact(value.value or 0.0) for word, value in values.items()},
            )
        )
    return bars


def rows(data: Panels) -> list[Row]:
    return stacked_bars.rows(data)


def draw(data: Panels, path: Path, *, miniature: bool) -> None:
    stacked_bars.draw(data, path, nothing="no answers graded in words", miniature=miniature)


FIGURE = Figure(
    inputs=inputs,
    read=read,
    rows=rows,
    draw=draw,
    caption="Shares of answers by the word that they were graded with. Hatched bars are the "
    "paper’s: its Figure 3, and prompts unlike those of its training set.",
    category="Grades",
    applies=applies,
    beside_paper=True,
)
