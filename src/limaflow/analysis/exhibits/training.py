"""Loss, learning rate and gradient norm over the steps of each run, and dev perplexity."""

import csv
from collections.abc import Sequence
from pathlib import Path

from limaflow.analysis.exhibit import Figure, Files, Options
from limaflow.analysis.study import Study
from limaflow.errors import InputError
from limaflow.plot_style import arm_colours, drawing
from limaflow.training.manifest import read_training

NEEDED = ("step", "epoch", "loss", "learning_rate", "gradient_norm")
Row = dict[str, float | None]
Logs = dict[str, list[Row]]
"""Arm → one row a step."""


def inputs(study: Study) -> Files:
    return {"training": [study.results.training(arm) for arm in study.tuned]}


def applies(study: Study) -> bool:
    return bool(study.tuned)


def read(files: Files, options: Options) -> Logs:
    return read_logs(files["training"])


def read_logs(trainings: Sequence[Path]) -> Logs:
    """Arm → one row a step with the columns of NEEDED, and `dev_perplexity` at an epoch's end.

    Raises:
        InputError: a log is missing, or a row lacks a number.
    """
    logs = {}
    for path in trainings:
        run = read_training(path)
        log = path.parent / run.log
        if not log.is_file():
            raise InputError("the run's log is not there", path=log)
        with log.open(encoding="utf-8", newline="") as file:
            rows: list[Row] = []
            for number, line in enumerate(csv.DictReader(file), start=2):
                try:
                    rows.append({name: float(line[name]) for name in NEEDED})
                except (KeyError, TypeError, ValueError):
                    raise InputError(
                        f"not a row with numbers for {', '.join(NEEDED)}", path=log, line=number
                    ) from None
        perplexity = {epoch.epoch: epoch.dev_perplexity for epoch in run.epochs}
        last = {row["epoch"]: row for row in rows}
        for row in rows:
            ends = row is last[row["epoch"]]
            row["dev_perplexity"] = perplexity.get(int(row["epoch"] or 0)) if ends else None
        logs[run.arm] = rows
    return logs


def rows(logs: Logs) -> list[dict[str, object]]:
    return [
        {"arm": arm, **row, "step": int(row["step"] or 0), "epoch": int(row["epoch"] or 0)}
        for arm, of_arm in logs.items()
        for row in of_arm
    ]


def draw(data: Logs, path: Path, *, miniature: bool) -> None:
    panels = {
        "loss": "training loss",
        "learning_rate": "learning rate",
        "gradient_norm": "gradient norm",
        "dev_perplexity": "dev perplexity",
    }
    with drawing(path, width=7.2, height=4.6, miniature=miniature) as figure:
        grid = figure.subplots(2, 2, sharex=True)
        colours = arm_colours(data)
        for axes, (column, label) in zip(grid.flat, panels.items(), strict=True):
            for arm, rows in data.items():
                known = [(row["step"], row[column]) for row in rows if row[column] is not None]
                axes.plot(
                    [step for step, _ in known],
                    [value for _, value in known],
                    color=colours[arm],
                    label=arm,
                    lw=1.2,
                    marker="o" if column == "dev_perplexity" else None,
                    ms=3,
                )
            axes.set_ylabel(label)
            if column == "dev_perplexity":
                # It falls from thousands to a few.
                axes.set_yscale("log")
                axes.yaxis.set_major_formatter("{x:,g}")
                axes.yaxis.set_minor_formatter(lambda *_: "")
            else:
                axes.set_ylim(bottom=0)
            axes.grid(color="#eeeeee")
        for axes in grid[1]:
            axes.set_xlabel("optimizer step")
        grid[0, 1].ticklabel_format(axis="y", style="sci", scilimits=(0, 0))
        if data:
            grid[0, 0].legend(fontsize=8)


FIGURE = Figure(
    inputs=inputs,
    read=read,
    rows=rows,
    draw=draw,
    caption="Training loss, learning rate and gradient norm over the optimizer steps; dev "
    "perplexity after each epoch.",
    category="Training",
    applies=applies,
)
