"""Each benchmark before and after tuning, and the paired difference."""

from collections.abc import Sequence
from pathlib import Path

from limaflow.analysis.tables import tax_rows
from limaflow.measures.summaries import TaskTax
from limaflow.plot_style import GREY, SERIES, drawing, empty, error_bars, write_csv


def draw(rows: Sequence[TaskTax], path: Path, *, miniature: bool) -> None:
    """Write the figure, and its numbers beside it as CSV."""
    write_csv(
        path.with_suffix(".csv"),
        tax_rows(rows),
    )
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
        scores.set_yticks(range(len(tasks)), tasks)
        scores.set_ylim(len(tasks) - 0.5, -0.5)
        scores.set_xlabel("score")
        differences.axvline(0, color="black", lw=0.8)
        differences.set_xlabel("tuned minus base, same items")
        for axes in (scores, differences):
            axes.grid(axis="x", color="#eeeeee")
            axes.xaxis.get_major_locator().set_params(nbins=5)
        figure.legend(*scores.get_legend_handles_labels(), loc="outside upper right", ncols=4)
