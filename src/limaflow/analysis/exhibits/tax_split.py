"""What each benchmark's change is made of: answers that are read, and answers that are right.

Three columns a task: the whole change, what of it is format, and what is knowledge; each with its
interval, the p-value of a paired test for a loss by Holm's method over the tasks of the arm, and
the loss above which a one-sided test excludes all. Then the means over tasks, with and without the
items that training data hold.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from limaflow.analysis.decision_rules import largest_loss
from limaflow.analysis.exhibit import Figure, Files, Options, Table
from limaflow.analysis.many_tests import holm_by_family, in_words
from limaflow.analysis.study import Study
from limaflow.analysis.tax_means import (
    Mean,
    MeanTax,
    calibration_of,
    clean_in_shares,
    format_of,
    in_shares,
    knowledge_of,
    means_of,
    right_probability_of,
)
from limaflow.intervals import Interval
from limaflow.jsonl import read_json
from limaflow.measures.summaries import TaskTax
from limaflow.plot_style import GREY, SERIES, columns, drawing, empty, error_bars

Row = dict[str, object]


@dataclass(frozen=True)
class Taxes:
    """The paired tasks, and the means over them."""

    tasks: Sequence[TaskTax]
    means: Sequence[MeanTax]
    confidence: float


@dataclass(frozen=True)
class Part:
    """One part of a task's change, and the p-value of a test for a loss of it."""

    of: Callable[[TaskTax], Interval | None]
    loss_p: Callable[[TaskTax], float | None]


PARTS: Mapping[str, Part] = {
    "difference": Part(lambda row: row.difference, lambda row: row.loss_p_value),
    "format": Part(format_of, lambda row: row.split.format_loss_p if row.split else None),
    "knowledge": Part(knowledge_of, lambda row: row.split.knowledge_loss_p if row.split else None),
    "right_probability": Part(
        right_probability_of, lambda row: row.sureness.loss_p_value if row.sureness else None
    ),
}
"""The columns of the table that are tested."""


def inputs(study: Study) -> Files:
    return {"tax": [study.results.analysis("tax")]}


def applies(study: Study) -> bool:
    return study.measures_tax


def read(files: Files, options: Options) -> Taxes:
    return parts_of(read_json(files["tax"][0], list[TaskTax]), options.confidence)


def parts_of(tax: Sequence[TaskTax], confidence: float) -> Taxes:
    """The rows that are paired, and the means over them."""
    found = [row for row in tax if row.difference]
    return Taxes(found, means_of(found), confidence)


def rows(found: Taxes) -> list[Row]:
    """One row a task and arm, then one a mean; differences are tuned minus base."""
    corrected = _corrected(found.tasks)
    return [
        *(
            _of_task(row, p_values, found.confidence)
            for row, p_values in zip(found.tasks, corrected, strict=True)
        ),
        *(_of_mean(mean, found.confidence) for mean in found.means),
    ]


def _corrected(tasks: Sequence[TaskTax]) -> list[dict[str, float | None]]:
    """Of each row the p-values of its parts, by Holm's method over the tasks of its arm."""
    arms = [row.asked_arm for row in tasks]
    by_part = {
        name: holm_by_family(arms, [part.loss_p(row) for row in tasks])
        for name, part in PARTS.items()
    }
    return [{name: found[place] for name, found in by_part.items()} for place in range(len(tasks))]


def _of_task(row: TaskTax, corrected: Mapping[str, float | None], confidence: float) -> Row:
    split, sureness = row.split, row.sureness
    tested = {
        name: _tested(name, part.of(row), corrected[name], confidence)
        for name, part in PARTS.items()
    }
    clean = row.difference if row.contaminated == 0 else row.clean
    return {
        "task": row.task,
        "metric": row.metric,
        "arm": row.arm,
        "further_format": row.further_format,
        "items": row.items,
        **tested["difference"],
        "unread_base": split.unread_base if split else None,
        "unread_tuned": split.unread_tuned if split else None,
        "read_in_both": split.read_in_both if split else None,
        **tested["format"],
        **tested["knowledge"],
        **columns("lenient", split.lenient if split else None),
        **columns("guessed", split.guessed if split else None),
        **tested["right_probability"],
        "calibration_error_base": sureness.base_error if sureness else None,
        "calibration_error_tuned": sureness.tuned_error if sureness else None,
        **columns("calibration_error", calibration_of(row)),
        "contaminated": row.contaminated,
        **_bounded("without_contaminated", clean, confidence),
    }


def _of_mean(mean: MeanTax, confidence: float) -> Row:
    """A row of the same columns; a mean is no test of a task."""
    return {
        "task": mean.name,
        "metric": "share of the scale",
        "arm": mean.arm,
        "further_format": mean.further_format,
        "items": mean.items,
        **_tested("difference", mean.difference.interval, None, confidence),
        **dict.fromkeys(("unread_base", "unread_tuned", "read_in_both")),
        **_tested("format", _interval(mean.format), None, confidence),
        **_tested("knowledge", _interval(mean.knowledge), None, confidence),
        **columns("lenient", None),
        **columns("guessed", None),
        **_tested("right_probability", _interval(mean.right_probability), None, confidence),
        **dict.fromkeys(("calibration_error_base", "calibration_error_tuned")),
        **columns("calibration_error", _interval(mean.calibration_error)),
        "contaminated": mean.contaminated,
        **_bounded("without_contaminated", _interval(mean.clean), confidence),
    }


def _interval(mean: Mean | None) -> Interval | None:
    return mean.interval if mean else None


def _tested(name: str, interval: Interval | None, p_value: float | None, confidence: float) -> Row:
    """An interval, the loss that is excluded, and the p-value of a loss after correction."""
    return {**_bounded(name, interval, confidence), f"{name}_loss_p_holm": in_words(p_value)}


def _bounded(name: str, interval: Interval | None, confidence: float) -> Row:
    """An interval, and the loss that is excluded."""
    return {
        **columns(name, interval),
        f"{name}_no_loss_above": largest_loss(interval, confidence) if interval else None,
    }


@dataclass(frozen=True)
class _Line:
    """One line of the forest: a task or a mean, and its parts by name, colour and interval."""

    label: str
    parts: Sequence[tuple[str, str, Interval]]
    marker: str


def _lines(found: Taxes) -> list[_Line]:
    """In shares of each task's scale; a task without a scale has no line."""
    tasks = [
        _Line(
            f"{row.task}\n{row.asked_arm}",
            _shown(
                in_shares(row),
                format_of(row),
                knowledge_of(row),
                row.split.lenient if row.split else None,
                right_probability_of(row),
                clean_in_shares(row) if row.contaminated else None,
            ),
            "o",
        )
        for row in found.tasks
        if row.span
    ]
    means = [
        _Line(
            f"{mean.name}\n{mean.asked_arm}",
            _shown(
                mean.difference.interval,
                _interval(mean.format),
                _interval(mean.knowledge),
                None,
                _interval(mean.right_probability),
                _interval(mean.clean) if mean.contaminated else None,
            ),
            "D",
        )
        for mean in found.means
    ]
    return tasks + means


def _shown(*intervals: Interval | None) -> list[tuple[str, str, Interval]]:
    named = (
        ("whole change", GREY),
        ("format: answers read or not", SERIES[1]),
        ("knowledge: among items read in both", SERIES[0]),
        ("by a lenient reader", SERIES[3]),
        ("probability of the right choice", SERIES[2]),
        ("whole change without contaminated items", SERIES[5]),
    )
    pairs = zip(named, intervals, strict=True)
    return [(name, colour, interval) for (name, colour), interval in pairs if interval]


def draw(data: Taxes, path: Path, *, miniature: bool) -> None:
    lines = _lines(data)
    height = 1.5 + 0.55 * max(2, len(lines))
    with drawing(path, width=7.2, height=height, miniature=miniature) as figure:
        axes = figure.subplots()
        if not lines:
            empty(axes, "no task was paired")
            return
        drawn: set[str] = set()
        for place, line in enumerate(lines):
            for number, (name, colour, interval) in enumerate(line.parts):
                axes.errorbar(
                    [interval.estimate],
                    [place + 0.15 * (number - (len(line.parts) - 1) / 2)],
                    xerr=error_bars([interval]),
                    fmt=line.marker,
                    color=colour,
                    markersize=5,
                    capsize=2,
                    label=None if name in drawn else name,
                )
                drawn.add(name)
        axes.set_yticks(range(len(lines)), [line.label for line in lines])
        axes.set_ylim(len(lines) - 0.5, -0.5)
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
    "both replies. Of choices that are scored, the change of the right one's probability. "
    "Diamonds: means over the tasks of an arm. Items that stand in training data are contaminated.",
    category="Benchmarks",
    applies=applies,
    uses=("bootstrap",),
)
TABLE = Table(inputs=inputs, read=read, rows=rows, applies=applies, uses=("bootstrap",))
