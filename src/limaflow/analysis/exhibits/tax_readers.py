"""The tax as each reader of the replies sees it, and how far the readers agree.

Agreement is of one model's replies on one task: it does not carry over to another model's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from limaflow.analysis.decision_rules import largest_loss
from limaflow.analysis.exhibit import Figure, Files, Options, Table
from limaflow.analysis.many_tests import holm_by_family, in_words
from limaflow.analysis.study import Study
from limaflow.jsonl import read_json
from limaflow.measures.summaries import ReaderAgreement, TaskTax
from limaflow.plot_style import SERIES, columns, drawing, empty, error_bars

Row = dict[str, object]
TRUST = ("person", "model", "simulated", "mixed", "unspecified", "rules", "exact match")
"""Kinds of readers; agreement is drawn with the first reader of the first kind that is there."""


def inputs(study: Study) -> Files:
    return {"tax": [study.results.analysis("tax")]}


def applies(study: Study) -> bool:
    return study.measures_tax and study.grades_items


@dataclass(frozen=True)
class Read:
    """The tasks with several readers."""

    tasks: Sequence[TaskTax]
    confidence: float


def read(files: Files, options: Options) -> Read:
    found = [row for row in read_json(files["tax"][0], list[TaskTax]) if row.readers]
    return Read(found, options.confidence)


def rows(found: Read) -> list[Row]:
    """One row a task, arm and reader; differences are tuned minus base.

    P-values are corrected over the tasks of an arm, of each reader alone.
    """
    each = [(row, reader) for row in found.tasks for reader in row.readers]
    families = [(row.asked_arm, reader.reader) for row, reader in each]
    losses = holm_by_family(families, [reader.loss_p_value for _, reader in each])
    of_format = holm_by_family(families, [reader.format_loss_p for _, reader in each])
    return [
        {
            "task": row.task,
            "arm": row.arm,
            "further_format": row.further_format,
            "reader": reader.reader,
            "kind": reader.kind,
            "items": reader.items,
            "unsure_base": reader.unsure_base,
            "unsure_tuned": reader.unsure_tuned,
            "no_answer_base": reader.no_answer_base,
            "no_answer_tuned": reader.no_answer_tuned,
            **columns("base", reader.base),
            **columns("tuned", reader.tuned),
            **columns("exact_match_difference", reader.exact_match),
            **columns("format", reader.format),
            "format_no_loss_above": largest_loss(reader.format, found.confidence)
            if reader.format
            else None,
            "format_loss_p_holm": in_words(of_format[place]),
            **columns("difference", reader.difference),
            "difference_no_loss_above": largest_loss(reader.difference, found.confidence),
            "difference_loss_p_holm": in_words(losses[place]),
        }
        for place, (row, reader) in enumerate(each)
    ]


def agreement_rows(found: Sequence[TaskTax]) -> list[Row]:
    """One row a task, model and pair of readers; the base's replies are the same for all arms."""
    rows = {
        (row.task, pair.model, _format(row, pair), pair.first, pair.second): pair
        for row in found
        for pair in row.agreements
    }
    return [
        {
            "task": task,
            "model": model,
            "format": format,
            "first": first,
            "second": second,
            "items": pair.items,
            "both_right": pair.both_right,
            "first_alone": pair.first_alone,
            "second_alone": pair.second_alone,
            "both_wrong": pair.both_wrong,
            **columns("agreement", pair.agreement),
            **columns("cohen", pair.cohen),
        }
        for (task, model, format, first, second), pair in rows.items()
    ]


def _format(row: TaskTax, pair: ReaderAgreement) -> str:
    """The further format in which a model's replies were asked for; the base has none."""
    return row.further_format if pair.model == row.arm else ""


def _trusted(row: TaskTax) -> str:
    """The reader with whom the others are compared."""
    return min(row.readers, key=lambda reader: TRUST.index(reader.kind)).reader


def _with_trusted(row: TaskTax, reader: str) -> list[ReaderAgreement]:
    """Of the base's replies, then of the arm's."""
    pair = {reader, _trusted(row)}
    return [found for found in row.agreements if {found.first, found.second} == pair]


def draw(data: Read, path: Path, *, miniature: bool) -> None:
    tasks = data.tasks
    names = list(dict.fromkeys(reader.reader for row in tasks for reader in row.readers))
    lines = len(tasks) * (len(names) + 1)
    with drawing(path, width=7.2, height=1.6 + 0.24 * max(4, lines), miniature=miniature) as figure:
        taxes, agreements = figure.subplots(1, 2, sharey=True)
        if not tasks:
            empty(taxes, "no reply was graded")
            empty(agreements, "")
            return
        step = 0.8 / len(names)
        named: set[str] = set()
        for number, name in enumerate(names):
            colour = SERIES[number % len(SERIES)]
            for place, row in enumerate(tasks):
                at = place - 0.4 + step * (number + 0.5)
                for reader in (one for one in row.readers if one.reader == name):
                    taxes.errorbar(
                        [reader.difference.estimate],
                        [at],
                        xerr=error_bars([reader.difference]),
                        fmt="o",
                        color=colour,
                        capsize=2,
                        label=None if name in named else name,
                    )
                    named.add(name)
                for pair, marker in zip(_with_trusted(row, name), ("s", "o"), strict=False):
                    agreements.errorbar(
                        [pair.agreement.estimate],
                        [at + (0.1 if marker == "o" else -0.1) * step],
                        xerr=error_bars([pair.agreement]),
                        fmt=marker,
                        color=colour,
                        capsize=2,
                        mfc="white" if marker == "s" else colour,
                    )
        taxes.set_yticks(range(len(tasks)), [f"{row.task}\n{row.asked_arm}" for row in tasks])
        taxes.set_ylim(len(tasks) - 0.5, -0.5)
        taxes.axvline(0, color="black", lw=0.8)
        taxes.set_xlabel("tuned minus base, same items")
        trusted = " or ".join(dict.fromkeys(map(_trusted, tasks)))
        agreements.set_xlabel(f"agrees with {trusted} on\n□ the base's, ● the arm's replies")
        for axes in (taxes, agreements):
            axes.grid(axis="x", color="#eeeeee")
            axes.xaxis.get_major_locator().set_params(nbins=5)
        figure.legend(*taxes.get_legend_handles_labels(), loc="outside upper center", ncols=4)


FIGURE = Figure(
    inputs=inputs,
    read=read,
    rows=rows,
    draw=draw,
    caption="The change of each benchmark as several readers of the same replies see it (left), "
    "and how often each agrees with people, or else with the judge, on the base's replies and on "
    "the tuned model's (right).",
    category="Benchmarks",
    applies=applies,
    uses=("bootstrap",),
)
TABLE = Table(inputs=inputs, read=read, rows=rows, applies=applies, uses=("bootstrap",))
AGREEMENT = Table(
    inputs=inputs, read=read, rows=lambda found: agreement_rows(found.tasks), applies=applies
)
