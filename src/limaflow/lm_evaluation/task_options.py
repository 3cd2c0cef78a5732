"""Options of `limaflow benchmark` that hold for one task: TASK=VALUE."""

from collections.abc import Sequence

from limaflow.errors import InputError


def few_shot_options(values: Sequence[str]) -> tuple[int | None, dict[str, int]]:
    """Examples before an item of all tasks, if a bare number is among the values, and by task.

    Raises:
        InputError: no whole number, or two for the same.
    """
    by_task: dict[str, int] = {}
    for value in values:
        task, _, number = value.rpartition("=")
        if not number.isdecimal():
            raise InputError(f"--few-shot is a number or TASK=NUMBER, not '{value}'")
        if task in by_task:
            raise InputError(f"--few-shot: two numbers for {task or 'all tasks'}")
        by_task[task] = int(number)
    return by_task.pop("", None), by_task


def metric_options(values: Sequence[str]) -> dict[str, str]:
    """The metric that stands for a task, by task.

    Raises:
        InputError: a value has no task or no metric, or a task has two.
    """
    metrics: dict[str, str] = {}
    for value in values:
        task, _, metric = value.rpartition("=")
        if not task or not metric or task in metrics:
            raise InputError(f"--metric is TASK=METRIC, one for a task, not '{value}'")
        metrics[task] = metric
    return metrics
