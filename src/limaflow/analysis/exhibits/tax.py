"""Each benchmark before and after tuning, and the paired difference: the alignment tax."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from limaflow.analysis.exhibit import Figure, Files, Options, Table
from limaflow.analysis.study import Study
from limaflow.intervals import Interval
from limaflow.jsonl import read_json
from limaflow.lm_evaluation.metrics import ends_of
from limaflow.measures.summaries import Conditions, TaskTax
from limaflow.plot_style import GREY, arm_colours, columns, drawing, empty, error_bars

Row = dict[str, object]
CONDITIONS = tuple(field.name for field in fields(Conditions))


@dataclass(frozen=True)
class Paired:
    """A row that has intervals."""

    row: TaskTax
    base: Interval
    tuned: Interval
    difference: Interval


MARKERS = "oD^v"
"""Of the main format, then of further ones."""


def inputs(study: Study) -> Files:
    return {"tax": [study.results.analysis("tax")]}


def applies(study: Study) -> bool:
    return study.measures_tax


def read(files: Files, options: Options) -> list[TaskTax]:
    return read_json(files["tax"][0], list[TaskTax])


def rows(found: Sequence[TaskTax]) -> list[Row]:
    """One row a task and tuned arm; a negative difference is a loss, whichever way is better."""
    return [
        {
            "task": row.task,
            "metric": row.metric,
            "better": "higher" if row.higher_is_better else "lower",
            "scale": _scale(row),
            "arm": row.arm,
            "further_format": row.further_format,
            "items": row.items,
            **columns("base", row.base),
            **columns("tuned", row.tuned),
            **columns("difference", row.difference),
            "not_paired": row.unpaired,
            **(asdict(row.conditions) if row.conditions else dict.fromkeys(CONDITIONS)),
        }
        for row in found
    ]


def _scale(row: TaskTax) -> str:
    return "" if row.scale is None else ends_of(row.scale)


def labelled(row: TaskTax) -> str:
    """A task, with direction and scale of its metric where they are not the usual ones."""
    notes = [] if row.higher_is_better else ["lower is better"]
    notes += [f"{_scale(row)}, drawn as share"] if row.span not in (None, 1) else []
    return f"{row.task}\n({', '.join(notes)})" if notes else row.task


def _paired(row: TaskTax) -> Paired:
    """A row in shares of its scale, so that tasks on several scales can share an axis."""
    assert row.base and row.tuned and row.difference
    span = 1.0 if row.span is None else row.span
    return Paired(row, row.base.over(span), row.tuned.over(span), row.difference.over(span))


def draw(data: Sequence[TaskTax], path: Path, *, miniature: bool) -> None:
    rows = [_paired(row) for row in data if row.difference]
    tasks = list(dict.fromkeys(found.row.task for found in rows))
    arms = list(dict.fromkeys(found.row.asked_arm for found in rows))
    lines = len(tasks) * (len(arms) + 1)
    with drawing(path, width=7.2, height=1.5 + 0.24 * max(4, lines), miniature=miniature) as figure:
        scores, differences = figure.subplots(1, 2, sharey=True)
        if not rows:
            empty(scores, "no paired benchmark results")
            empty(differences, "")
            return
        step = 0.8 / (len(arms) + 1)
        first = [next(found for found in rows if found.row.task == task) for task in tasks]
        scores.errorbar(
            [found.base.estimate for found in first],
            [tasks.index(found.row.task) - 0.4 + step / 2 for found in first],
            xerr=error_bars([found.base for found in first]),
            fmt="s",
            color=GREY,
            capsize=2,
            label="base",
        )
        colours = arm_colours(found.row.arm for found in rows)
        formats = list(dict.fromkeys(["", *(found.row.further_format for found in rows)]))
        for number, arm in enumerate(arms):
            mine = [found for found in rows if found.row.asked_arm == arm]
            places = [tasks.index(f.row.task) - 0.4 + step * (number + 1.5) for f in mine]
            further = mine[0].row.further_format
            look = {
                "fmt": MARKERS[formats.index(further) % len(MARKERS)],
                "color": colours[mine[0].row.arm],
                "mfc": "white" if further else colours[mine[0].row.arm],
                "capsize": 2,
            }
            scores.errorbar(
                [found.tuned.estimate for found in mine],
                places,
                xerr=error_bars([found.tuned for found in mine]),
                label=arm,
                **look,
            )
            differences.errorbar(
                [found.difference.estimate for found in mine],
                places,
                xerr=error_bars([found.difference for found in mine]),
                **look,
            )
        scores.set_yticks(range(len(tasks)), [labelled(found.row) for found in first])
        scores.set_ylim(len(tasks) - 0.5, -0.5)
        scores.set_xlabel("score")
        differences.axvline(0, color="black", lw=0.8)
        upward = all(found.row.higher_is_better for found in rows)
        signed = "tuned minus base" if upward else "gain (below 0: a loss)"
        differences.set_xlabel(f"{signed}, same items")
        for axes in (scores, differences):
            axes.grid(axis="x", color="#eeeeee")
            axes.xaxis.get_major_locator().set_params(nbins=5)
        figure.legend(*scores.get_legend_handles_labels(), loc="outside upper right", ncols=4)


FIGURE = Figure(
    inputs=inputs,
    read=read,
    rows=rows,
    draw=draw,
    caption="Benchmark scores of the base and of the tuned arms (left), and their paired "
    "differences over the same items (right). Left of the line: the tuned model lost.",
    category="Benchmarks",
    applies=applies,
)
TABLE = Table(inputs=inputs, read=read, rows=rows, applies=applies)
