"""Benchmark tasks that two models have results of, and whose items cannot be paired."""

from collections.abc import Sequence

from limaflow.analysis.measured_tasks import Measured, conditions_of
from limaflow.intervals import Interval
from limaflow.measures.summaries import TaskTax


def unpaired_tasks(before: Measured, after: Measured, common: Sequence[str]) -> list[TaskTax]:
    """The tasks whose items have no score by one metric for both models."""
    if not (before.results and after.results):
        return []
    rows = []
    for task, own in before.results.scores.items():
        other = after.results.scores.get(task)
        if other is None or task in common:
            continue
        same = own.metric == other.metric
        rows.append(
            TaskTax(
                task=task,
                metric=own.metric if same else f"{own.metric} and {other.metric}",
                arm=after.arm,
                base=None if own.value is None else point(own.value),
                tuned=None if other.value is None else point(other.value),
                difference=None,
                items=own.items,
                higher_is_better=own.higher_is_better,
                scale=own.scale,
                unpaired=own.unpaired or other.unpaired or "two metrics",
                conditions=conditions_of(before, after, task),
            )
        )
    return rows


def point(value: float) -> Interval:
    """A value of which no interval is known."""
    return Interval(float(value), float(value), float(value))
