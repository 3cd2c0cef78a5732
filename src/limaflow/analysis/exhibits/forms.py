"""How often each arm keeps the forms that prompts ask for."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from limaflow.analysis.exhibit import Figure, Files, Options, Table
from limaflow.analysis.study import Study
from limaflow.format_checks.summary import LEVELS, READINGS, FormatDifference, Formats, FormatShare
from limaflow.jsonl import read_json
from limaflow.plot_style import SERIES, columns, drawing, error_bars

Row = dict[str, object]
UNITS = {"prompts": "prompts with all forms kept", "forms": "forms kept"}


def inputs(study: Study) -> Files:
    return {"formats": [study.results.analysis("formats")]}


def applies(study: Study) -> bool:
    return study.checks_formats


def read(files: Files, options: Options) -> Formats:
    return read_json(files["formats"][0], Formats)


def of_all_rules(data: Formats) -> list[FormatShare]:
    return [row for row in data.shares if not row.rule]


def rows(data: Formats) -> list[Row]:
    """One row an arm, level and reading, of all rules together."""
    return list(map(_row, of_all_rules(data)))


def table_rows(data: Formats) -> list[Row]:
    """The same, rule by rule as well, and the differences of the main arm from the others."""
    return [*map(_row, data.shares), *map(_difference, data.differences)]


def _row(found: FormatShare) -> Row:
    return {
        "arm": found.model,
        "minus": "",
        "level": found.level,
        "reading": found.reading,
        "rule": found.rule,
        "prompts": found.prompts,
        "checks": found.checks,
        "not_checked": found.unchecked,
        **columns("share", found.share),
    }


def _difference(found: FormatDifference) -> Row:
    return {
        "arm": found.first,
        "minus": found.second,
        "level": found.level,
        "reading": found.reading,
        "rule": "",
        "prompts": found.prompts,
        "checks": None,
        "not_checked": None,
        **columns("share", found.difference),
    }


def draw(data: Formats, path: Path, *, miniature: bool) -> None:
    found = of_all_rules(data)
    arms = list(dict.fromkeys(row.model for row in found))
    height = 1.4 + 0.4 * max(2, len(arms))
    with drawing(path, width=7.2, height=height, miniature=miniature) as figure:
        panels = figure.subplots(1, 2, sharey=True)
        for axes, level in zip(panels, LEVELS, strict=True):
            for number, reading in enumerate(READINGS):
                own = [row for row in found if (row.level, row.reading) == (level, reading)]
                _points(axes, own, arms, number)
            axes.set_title(UNITS[level])
            axes.set_xlim(-0.02, 1.02)
            axes.grid(axis="x", color="#eeeeee")
            axes.set_xlabel("share")
        panels[0].set_yticks(range(len(arms)), arms)
        panels[0].set_ylim(len(arms) - 0.5, -0.5)
        figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper center", ncols=2)


def _points(axes: Any, found: Sequence[FormatShare], arms: Sequence[str], number: int) -> None:
    axes.errorbar(
        [row.share.estimate for row in found],
        [arms.index(row.model) + 0.2 * number - 0.1 for row in found],
        xerr=error_bars([row.share for row in found]),
        fmt="os"[number],
        color=SERIES[number],
        capsize=2,
        label=READINGS[number],
    )


FIGURE = Figure(
    inputs=inputs,
    read=read,
    rows=rows,
    draw=draw,
    caption="Share of the test prompts that ask for forms of which all are kept, and of the single "
    "forms, by rule. The loose reading forgives a line before or after the answer, and asterisks.",
    category="Forms",
    applies=applies,
)
TABLE = Table(inputs=inputs, read=read, rows=table_rows, applies=applies)
