"""Each benchmark before and after tuning, and the paired difference: the alignment tax."""

from collections.abc import Sequence
from pathlib import Path

from limaflow.analysis.exhibit import Figure, Files, Options, Table
from limaflow.analysis.study import Study
from limaflow.jsonl import read_json
from limaflow.measures.summaries import TaskTax
from limaflow.plot_style import GREY, SERIES, columns, drawing, empty, error_bars

Row = dict[str, object]


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
            "arm": row.arm,
            "items": row.items,
            **columns("base", row.base),
            **columns("tuned", row.tuned),
            **columns("difference", row.difference),
        }
        for row in found
    ]


def labelled(row: TaskTax) -> str:
    """A task, with the direction of its metric where a lower value is better."""
    return row.task if row.higher_is_better else f"{row.task}\n(lower is better)"


def draw(data: Sequence[TaskTax], path: Path, *, miniature: bool) -> None:
    rows = data
    tasks = list(dict.fromkeys(row.task for row in rows))
    arms = list(dict.fromkeys(row.arm for row in rows))
    lines = len(tasks) * (len(arms) + 1)
    with drawing(path, width=7.2, height=1.5 + 0.24 * max(4, lines), miniature=miniature) as figure:
        scores, differences = figure.subplots(1, 2, sharey=True)
        if not rows:
            empty(scores, "no benchmark results")
            empty(differences, "")
            return
        step = 0.8 / (len(arms) + 1)
        first = [next(row for row in rows if row.task == task) for task in tasks]
        scores.errorbar(
            [row.base.estimate for row in first],
            [tasks.index(row.task) - 0.4 + step / 2 for row in first],
            xerr=error_bars([row.base for row in first]),
            fmt="s",
            color=GREY,
            capsize=2,
            label="base",
        )
        for number, arm in enumerate(arms):
            mine = [row for row in rows if row.arm == arm]
            places = [tasks.index(row.task) - 0.4 + step * (number + 1.5) for row in mine]
            colour = SERIES[number % (len(SERIES) - 1)]
            scores.errorbar(
                [row.tuned.estimate for row in mine],
                places,
                xerr=error_bars([row.tuned for row in mine]),
                fmt="o",
                color=colour,
                capsize=2,
                label=arm,
            )
            differences.errorbar(
                [row.difference.estimate for row in mine],
                places,
                xerr=error_bars([row.difference for row in mine]),
                fmt="o",
                color=colour,
                capsize=2,
            )
        scores.set_yticks(range(len(tasks)), [labelled(row) for row in first])
        scores.set_ylim(len(tasks) - 0.5, -0.5)
        scores.set_xlabel("score")
        differences.axvline(0, color="black", lw=0.8)
        upward = all(row.higher_is_better for row in rows)
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
