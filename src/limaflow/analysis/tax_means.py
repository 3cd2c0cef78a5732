"""The mean of each part of the tax over the tasks of an arm.

Each task counts alike, as a share of its scale. The tasks are these and no draw of tasks: chance is
that of their items (`intervals.mean_of_independent`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from limaflow.intervals import Interval, mean_of_independent
from limaflow.measures.summaries import TaskTax


@dataclass(frozen=True)
class Mean:
    """A mean over tasks."""

    tasks: int
    interval: Interval


@dataclass(frozen=True, kw_only=True)
class MeanTax:
    """The means of one arm in one format; None of a part that no task has."""

    arm: str
    further_format: str
    items: int
    difference: Mean
    format: Mean | None
    knowledge: Mean | None
    right_probability: Mean | None
    calibration_error: Mean | None
    contaminated: int | None
    """Items that stand in training data; None where nobody looked."""
    clean: Mean | None
    """The difference without them, of the tasks that still have items; None where nobody looked."""

    @property
    def name(self) -> str:
        return f"mean of {self.difference.tasks} tasks"

    @property
    def asked_arm(self) -> str:
        """The arm, and how it was asked where that is not its main way."""
        return f"{self.arm} ({self.further_format})" if self.further_format else self.arm


Part = Callable[[TaskTax], Interval | None]


def means_of(rows: Sequence[TaskTax]) -> list[MeanTax]:
    """Of each arm and format with two tasks or more whose difference is a share of a scale."""
    found = []
    for arm, format in dict.fromkeys((row.arm, row.further_format) for row in rows):
        own = [
            row
            for row in rows
            if (row.arm, row.further_format) == (arm, format) and row.difference and row.span
        ]
        difference = _mean(own, in_shares)
        if difference is None or difference.tasks < 2:
            continue
        seen = [row.contaminated for row in own if row.contaminated is not None]
        found.append(
            MeanTax(
                arm=arm,
                further_format=format,
                items=sum(row.items for row in own),
                difference=difference,
                format=_mean(own, format_of),
                knowledge=_mean(own, knowledge_of),
                right_probability=_mean(own, right_probability_of),
                calibration_error=_mean(own, calibration_of),
                contaminated=sum(seen) if seen else None,
                clean=_mean(own, clean_in_shares) if seen else None,
            )
        )
    return found


def _mean(rows: Sequence[TaskTax], part: Part) -> Mean | None:
    parts = [interval for row in rows if (interval := part(row))]
    return Mean(len(parts), mean_of_independent(parts)) if parts else None


def in_shares(row: TaskTax) -> Interval | None:
    """The whole difference; None where it has no scale."""
    return row.difference.over(row.span) if row.difference and row.span else None


def clean_in_shares(row: TaskTax) -> Interval | None:
    """Without contaminated items; the whole where there are none, or nobody looked."""
    if not row.contaminated:
        return in_shares(row)
    return row.clean.over(row.span) if row.clean and row.span else None


def format_of(row: TaskTax) -> Interval | None:
    """What of the difference is format."""
    return row.split.format if row.split else None


def knowledge_of(row: TaskTax) -> Interval | None:
    """What of the difference is knowledge."""
    return row.split.knowledge if row.split else None


def right_probability_of(row: TaskTax) -> Interval | None:
    """The difference of the right choice's probability."""
    return row.sureness.right_probability if row.sureness else None


def calibration_of(row: TaskTax) -> Interval | None:
    """The difference of the expected calibration error; above 0 is worse."""
    return row.sureness.error_difference if row.sureness else None
