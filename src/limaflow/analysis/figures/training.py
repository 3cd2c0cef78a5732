"""Loss and learning rate over the optimizer steps of each run, from their logs."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from limaflow.analysis.canvas import SERIES, drawing, write_csv
from limaflow.errors import InputError
from limaflow.jsonl import read_json

NEEDED = ("step", "epoch", "loss", "learning_rate")


@dataclass(frozen=True, kw_only=True)
class LoggedRun:
    """What this figure reads of training.json; `log` is relative to its folder."""

    arm: str
    log: str


def read_logs(trainings: Sequence[Path]) -> dict[str, list[dict[str, float]]]:
    """Arm → one row a step with the columns of NEEDED.

    Raises:
        InputError: a log is missing, or a row lacks a number.
    """
    logs = {}
    for path in trainings:
        run = read_json(path, LoggedRun)
        log = path.parent / run.log
        if not log.is_file():
            raise InputError("the run's log is not there", path=log)
        with log.open(encoding="utf-8", newline="") as file:
            rows = []
            for number, row in enumerate(csv.DictReader(file), start=2):
                try:
                    rows.append({name: float(row[name]) for name in NEEDED})
                except (KeyError, TypeError, ValueError):
                    raise InputError(
                        f"not a row with numbers for {', '.join(NEEDED)}", path=log, line=number
                    ) from None
        logs[run.arm] = rows
    return logs


def draw(logs: dict[str, list[dict[str, float]]], path: Path, *, miniature: bool) -> None:
    """Write the figure, and its numbers beside it as CSV."""
    write_csv(
        path.with_suffix(".csv"),
        [
            {"arm": arm, **row, "step": int(row["step"]), "epoch": int(row["epoch"])}
            for arm, rows in logs.items()
            for row in rows
        ],
    )
    with drawing(path, width=7.2, height=2.9, miniature=miniature) as figure:
        loss, rate = figure.subplots(1, 2)
        for number, (arm, rows) in enumerate(logs.items()):
            colour = SERIES[number % len(SERIES)]
            steps = [row["step"] for row in rows]
            loss.plot(steps, [row["loss"] for row in rows], color=colour, label=arm, lw=1.2)
            rate.plot(steps, [row["learning_rate"] for row in rows], color=colour, lw=1.2)
        loss.set_ylabel("training loss")
        rate.set_ylabel("learning rate")
        rate.ticklabel_format(axis="y", style="sci", scilimits=(0, 0))
        for axes in (loss, rate):
            axes.set_xlabel("optimizer step")
            axes.set_ylim(bottom=0)
            axes.grid(color="#eeeeee")
        if logs:
            loss.legend(fontsize=8)
