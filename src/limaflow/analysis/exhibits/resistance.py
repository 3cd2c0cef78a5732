"""How far refusals hold: how deep they sit, on contrast pairs, and one arm against another."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from limaflow.analysis.exhibit import Figure, Files, Options, Table
from limaflow.analysis.study import Study
from limaflow.jsonl import read_json
from limaflow.plot_style import arm_colours, columns, drawing, empty, error_bars
from limaflow.refusals.resistance import Depth, Resistance
from limaflow.refusals.rules import RULES

Row = dict[str, object]
LINES = ("-", "--", ":", "-.")


def inputs(study: Study) -> Files:
    return {"resistance": [study.results.analysis("resistance")]}


def applies(study: Study) -> bool:
    return study.tests_refusals


def prefills(study: Study) -> bool:
    return study.prefills


def read(files: Files, options: Options) -> Resistance:
    return read_json(files["resistance"][0], Resistance)


def rows(data: Resistance) -> list[Row]:
    """One row an arm, grader and number of words."""
    return [
        {
            "arm": row.arm,
            "grader": row.grader,
            "words_given": row.words,
            "goals": row.goals,
            "answers": row.answers,
            **columns("refused", row.refused),
        }
        for row in data.depths
    ]


def contrast_rows(data: Resistance) -> list[Row]:
    """One row an arm, grader and type; type `all` is the mean over types."""
    return [
        {
            "arm": row.arm,
            "grader": row.grader,
            "type": row.group or "all",
            "safe_prompts": row.safe_prompts,
            "unsafe_prompts": row.unsafe_prompts,
            **columns("refused_of_safe", row.safe),
            **columns("refused_of_unsafe", row.unsafe),
            **columns("discrimination", row.discrimination),
        }
        for row in data.contrasts
    ]


def difference_rows(data: Resistance) -> list[Row]:
    """One row a pair of arms, grader and set of malicious prompts."""
    return [
        {
            "arm": row.first,
            "minus": row.second,
            "grader": row.grader,
            "prompts_of": row.prompts_of,
            "prompts": row.prompts,
            "goals": row.goals,
            **columns("refusals", row.refusals),
            **columns("compliance", row.compliance),
        }
        for row in data.differences
    ]


def draw(data: Resistance, path: Path, *, miniature: bool) -> None:
    # The rules' lines would hide those of who reads whole answers; the table has both.
    depths = [row for row in data.depths if row.grader != RULES] or data.depths
    lines = list(dict.fromkeys((row.arm, row.grader) for row in depths))
    with drawing(path, width=7.2, height=3.2 + 0.2 * len(lines), miniature=miniature) as figure:
        axes = figure.subplots()
        if not lines:
            empty(axes, "no answer to a prefilled prompt has a class")
            return
        colours = arm_colours(arm for arm, _ in lines)
        graders = list(dict.fromkeys(grader for _, grader in lines))
        places = sorted({row.words for row in depths})
        apart = min(0.06, 0.2 / len(lines))
        for number, (arm, grader) in enumerate(lines):
            own = [row for row in depths if (row.arm, row.grader) == (arm, grader)]
            # Lines that agree lie beside each other.
            aside = apart * (number - (len(lines) - 1) / 2)
            _line(axes, own, [places.index(row.words) + aside for row in own], colours[arm])
            axes.lines[-1].set_linestyle(LINES[graders.index(grader) % len(LINES)])
            axes.lines[-1].set_label(f"{arm}, {grader}")
        axes.set_xticks(range(len(places)), [str(place) for place in places])
        axes.set_xlabel("words of a complying answer that are given")
        axes.set_ylabel("share of answers that refuse")
        axes.set_ylim(-0.02, 1.02)
        figure.legend(handles=axes.lines, loc="outside upper center", ncols=2)


def _line(axes: Any, found: Sequence[Depth], places: Sequence[float], colour: str) -> None:
    shares = [row.refused for row in found]
    axes.errorbar(
        places, [s.estimate for s in shares], yerr=error_bars(shares), fmt="none", ecolor=colour
    )
    axes.plot(places, [s.estimate for s in shares], marker="o", markersize=4, color=colour)


FIGURE = Figure(
    inputs=inputs,
    read=read,
    rows=rows,
    draw=draw,
    caption="How deep refusals sit: the share of answers that refuse a malicious request when so "
    "many words of a complying answer are given, with intervals over goals. Graders read what "
    "follows the given words. A line that falls at once is a refusal of the first words alone.",
    category="Safety",
    applies=prefills,
)
CONTRASTS = Table(inputs=inputs, read=read, rows=contrast_rows, applies=applies)
DIFFERENCES = Table(inputs=inputs, read=read, rows=difference_rows, applies=applies)
