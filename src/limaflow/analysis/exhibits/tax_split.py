"""What each benchmark's change is made of: answers that are read, and answers that are right."""

from collections.abc import Sequence
from pathlib import Path

from limaflow.analysis.exhibit import Figure, Files, Options, Table
from limaflow.analysis.study import Study
from limaflow.intervals import Interval
from limaflow.jsonl import read_json
from limaflow.measures.summaries import Split, Sureness, TaskTax
from limaflow.plot_style import GREY, SERIES, columns, drawing, empty, error_bars

Row = dict[str, object]


def inputs(study: Study) -> Files:
    return {"tax": [study.results.analysis("tax")]}


def applies(study: Study) -> bool:
    return study.measures_tax


def read(files: Files, options: Options) -> list[TaskTax]:
    return [row for row in read_json(files["tax"][0], list[TaskTax]) if row.split or row.sureness]


def rows(found: Sequence[TaskTax]) -> list[Row]:
    """One row a task and arm; differences are tuned minus base."""
    return [
        {
            "task": row.task,
            "metric": row.metric,
            "arm": row.arm,
            "further_format": row.further_format,
            "items": row.items,
            **columns("difference", row.difference),
            **_split(row.split),
            **_sureness(row.sureness),
        }
        for row in found
    ]


def _split(split: Split | None) -> Row:
    return {
        "unread_base": split and split.unread_base,
        "unread_tuned": split and split.unread_tuned,
        "read_in_both": split and split.read_in_both,
        **columns("format", split.format if split else None),
        **columns("knowledge", split.knowledge if split else None),
        **columns("lenient", split.lenient if split else None),
        **columns("guessed", split.guessed if split else None),
    }


def _sureness(found: Sureness | None) -> Row:
    return {
        **columns("right_probability", found.right_probability if found else None),
        "calibration_error_base": found and found.base_error,
        "calibration_error_tuned": found and found.tuned_error,
        **columns("calibration_error", found.error_difference if found else None),
    }


def _parts(row: TaskTax) -> list[tuple[str, str, Interval]]:
    """Name, colour and interval of each part that a row has."""
    assert row.difference
    split, sureness = row.split, row.sureness
    parts = [
        ("whole change", GREY, row.difference),
        ("format: answers read or not", SERIES[1], split.format if split else None),
        ("knowledge: among items read in both", SERIES[0], split.knowledge if split else None),
        ("by a lenient reader", SERIES[3], split.lenient if split else None),
        (
            "probability of the right choice",
            SERIES[2],
            sureness.right_probability if sureness else None,
        ),
    ]
    return [(name, colour, found) for name, colour, found in parts if found]


def draw(data: Sequence[TaskTax], path: Path, *, miniature: bool) -> None:
    found = [row for row in data if row.difference]
    height = 1.5 + 0.55 * max(2, len(found))
    with drawing(path, width=7.2, height=height, miniature=miniature) as figure:
        axes = figure.subplots()
        if not found:
            empty(axes, "no answers were read, and no choices were scored")
            return
        drawn: set[str] = set()
        for place, row in enumerate(found):
            parts = _parts(row)
            for number, (name, colour, interval) in enumerate(parts):
                axes.errorbar(
                    [interval.estimate],
                    [place + 0.18 * (number - (len(parts) - 1) / 2)],
                    xerr=error_bars([interval]),
                    fmt="o",
                    color=colour,
                    capsize=2,
                    label=None if name in drawn else name,
                )
                drawn.add(name)
        axes.set_yticks(range(len(found)), [f"{row.task}\n{row.asked_arm}" for row in found])
        axes.set_ylim(len(found) - 0.5, -0.5)
        axes.axvline(0, color="black", lw=0.8)
        axes.set_xlabel("tuned minus base, same items")
        axes.grid(axis="x", color="#eeeeee")
        figure.legend(*axes.get_legend_handles_labels(), loc="outside upper center", ncols=2)


FIGURE = Figure(
    inputs=inputs,
    read=read,
    rows=rows,
    draw=draw,
    caption="What each benchmark's change is made of. An answer that cannot be read counts as "
    "wrong: that part is format. The rest is the difference among items whose answers were read in "
    "both replies. Of choices that are scored, the change of the right one's probability.",
    category="Benchmarks",
    applies=applies,
)
TABLE = Table(inputs=inputs, read=read, rows=rows, applies=applies)
