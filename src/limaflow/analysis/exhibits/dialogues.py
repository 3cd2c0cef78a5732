"""Dialogues: how long they go without a failure, and how their turns were graded (Figure 7)."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from limaflow.analysis.exhibit import Figure, Files, Options, Table
from limaflow.analysis.paper import paper
from limaflow.analysis.study import Study
from limaflow.dialogue.measure import Dialogues, DialogueSummary
from limaflow.jsonl import read_json
from limaflow.plot_style import GREY, SERIES, arm_colours, columns, drawing, empty, error_bars

Row = dict[str, object]
LINES = ("-", "--", ":", "-.")
PAPERS = {"LIMA without dialogues": "without", "LIMA with 30 dialogues": "with"}


def inputs(study: Study) -> Files:
    return {"dialogues": [study.results.analysis("dialogues")]}


def applies(study: Study) -> bool:
    return study.holds_dialogues


def read(files: Files, options: Options) -> Dialogues:
    return read_json(files["dialogues"][0], Dialogues)


def rows(found: Dialogues) -> list[Row]:
    """One row an arm, annotator and turn."""
    return [row for arm in found.arms for row in _rows_of(arm, found.words)]


def _rows_of(arm: DialogueSummary, words: Sequence[str]) -> list[Row]:
    survival = {point.turn: point for point in arm.survival}
    return [
        {
            "arm": arm.arm,
            "annotator": arm.annotator,
            "turn": turn.turn,
            "dialogues": turn.dialogues,
            **{
                key: value
                for word in words
                for key, value in columns(f"share_{word}", turn.shares.get(word)).items()
            },
            "no_failure_so_far": survival[turn.turn].share if turn.turn in survival else None,
            "no_failure_low": survival[turn.turn].low if turn.turn in survival else None,
            "no_failure_high": survival[turn.turn].high if turn.turn in survival else None,
            **columns("words", turn.words),
            **columns("more_words_than_first", turn.more_words),
            **columns("repeated", turn.repeated),
            "dialogues_with_a_form": turn.constrained,
            **columns("form_kept", turn.kept),
            "empty": turn.empty,
            "cut_by_length": turn.cut,
        }
        for turn in arm.by_turn
    ]


def draw(data: Dialogues, path: Path, *, miniature: bool) -> None:
    graded = [arm for arm in data.arms if arm.survival]
    height = 3.0 + 0.3 * max(2, len(graded))
    formed = _formed(data)
    width = 7.2 + 2.6 * bool(formed)
    with drawing(path, width=width, height=height, miniature=miniature) as figure:
        if not graded:
            _lengths(figure.subplots(), data)
            return
        survival, shares, *last = figure.subplots(1, 2 + bool(formed))
        for axes in last:
            _forms(axes, formed)
        styles = _styles(graded)
        for number, arm in enumerate(graded):
            style = styles[number]
            # Curves that agree lie beside each other.
            aside = 0.05 * (number - (len(graded) - 1) / 2)
            turns = [aside, *(point.turn + aside for point in arm.survival)]
            survival.step(
                turns,
                [1.0, *(point.share for point in arm.survival)],
                where="post",
                marker="o",
                markersize=4,
                ls=style.line,
                color=style.colour,
                label=f"{arm.arm}, {arm.annotator} ({arm.dialogues} dialogues)",
            )
            bounded = [point for point in arm.survival if point.low is not None]
            survival.vlines(
                [point.turn + aside for point in bounded],
                [point.low for point in bounded],
                [point.high for point in bounded],
                color=style.colour,
                lw=0.8,
            )
        survival.set_ylim(-0.02, 1.02)
        survival.xaxis.get_major_locator().set_params(integer=True)
        survival.set_xlabel("turn")
        survival.set_title(f"dialogues without\na turn graded {data.failure}")
        _shares(shares, data, graded)
        figure.legend(*survival.get_legend_handles_labels(), loc="outside upper left", ncols=1)


class _Style(NamedTuple):
    colour: str
    line: str


def _styles(graded: Sequence[DialogueSummary]) -> list[_Style]:
    """An arm keeps its colour with each annotator, whose line differs."""
    colours = arm_colours(arm.arm for arm in graded)
    annotators = list(dict.fromkeys(arm.annotator for arm in graded))
    return [
        _Style(
            colours[arm.arm],
            LINES[annotators.index(arm.annotator) % len(LINES)],
        )
        for arm in graded
    ]


def _shares(axes: Any, data: Dialogues, graded: Sequence[DialogueSummary]) -> None:
    """The best word's share over all turns, beside the paper's Figure 7 on its scale."""
    best = data.words[0]
    names, values = [], []
    for arm in graded:
        names.append(f"{arm.arm}\n{arm.annotator}, {arm.turns} turns")
        values.append(arm.shares[best])
    colours = [style.colour for style in _styles(graded)]
    axes.barh(range(len(values)), [v.estimate for v in values], color=colours)
    axes.errorbar(
        [v.estimate for v in values],
        range(len(values)),
        xerr=error_bars(values),
        fmt="none",
        color="black",
        capsize=2,
    )
    if data.words == ("excellent", "pass", "fail"):
        for name, key in PAPERS.items():
            value = paper().values[f"dialogue-excellent-{key}"].value or 0.0
            axes.barh([len(names)], [value / 100], color="white", edgecolor=GREY, hatch="///")
            names.append(f"paper: {name}\nFigure 7")
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_xlim(0, 1)
    axes.set_title(f"share of turns\ngraded {best}")


def _formed(data: Dialogues) -> list[DialogueSummary]:
    """The arms of which forms are known, each once: they do not depend on who graded."""
    known = {arm.arm: arm for arm in data.arms if any(turn.kept for turn in arm.by_turn)}
    return list(known.values())


def _forms(axes: Any, formed: Sequence[DialogueSummary]) -> None:
    """How many answers have the form that the first turn asked of all."""
    colours = arm_colours(arm.arm for arm in formed)
    for number, arm in enumerate(formed):
        found = [(turn.turn, turn.kept) for turn in arm.by_turn if turn.kept]
        aside = 0.05 * (number - (len(formed) - 1) / 2)
        axes.errorbar(
            [turn + aside for turn, _ in found],
            [kept.estimate for _, kept in found],
            yerr=error_bars([kept for _, kept in found]),
            marker="o",
            markersize=4,
            capsize=2,
            color=colours[arm.arm],
        )
    axes.set_ylim(-0.02, 1.02)
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.set_xlabel("turn")
    axes.set_title("answers with the form\nasked for in turn 1")


def _lengths(axes: Any, data: Dialogues) -> None:
    found = [arm for arm in data.arms if any(turn.words for turn in arm.by_turn)]
    if not found:
        empty(axes, "no dialogue was graded, and lengths do not differ")
        return
    for number, arm in enumerate(found):
        turns = [turn for turn in arm.by_turn if turn.words]
        axes.errorbar(
            [turn.turn for turn in turns],
            [turn.words.estimate for turn in turns if turn.words],
            yerr=error_bars([turn.words for turn in turns if turn.words]),
            marker="o",
            capsize=2,
            color=SERIES[number % len(SERIES)],
            label=arm.arm,
        )
    axes.set_xlabel("turn")
    axes.set_ylabel("words of an answer")
    axes.legend()


FIGURE = Figure(
    inputs=inputs,
    read=read,
    rows=rows,
    draw=draw,
    caption="Dialogues by script. Left, how many go without a failed turn up to each turn (Kaplan "
    "and Meier; a dialogue without a failure counts up to its last turn). Right, the best grade’s "
    "share of all turns; hatched bars are the paper’s 42 and 46 turns of its Figure 7. Where "
    "scripts ask in the first turn for a form of all answers, at the right the share that has it.",
    category="Dialogues",
    applies=applies,
)
TABLE = Table(inputs=inputs, read=read, rows=rows, applies=applies)
