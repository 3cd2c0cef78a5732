"""The alignment tax: what tuning costs on benchmarks, item by item.

Both models answered the same items, so the difference is taken per item before averaging, and the
interval is one over items: much narrower than that of two independent accuracies (Miller 2024,
arXiv 2411.00640, section 4). Scores from 0 to 1 have intervals that keep a width where no item
changed; others have those of the bootstrap. Intervals are not corrected for the number of tasks.
A negative difference is a loss: of a metric whose lower values are better it is base minus tuned.
"""

from pathlib import Path

import numpy as np

from limaflow.errors import InputError
from limaflow.intervals import Resampling, mean_of
from limaflow.jsonl import read_records
from limaflow.measures.summaries import TaskTax
from limaflow.records import BenchmarkItem
from limaflow.seeds import seed_for

Task = tuple[str, str, bool]
"""Name, metric, and whether a higher value is better."""
Scores = dict[Task, dict[str, float]]


def alignment_tax(
    base: Path, tuned: list[Path], *, rounds: int, confidence: float, seed: int
) -> list[TaskTax]:
    """Base, tuned and paired difference of every task, for every tuned model.

    Raises:
        InputError: a model was not given exactly the base's tasks and items.
    """
    _, before = _scores(base)
    rows = []
    for path in tuned:
        arm, after = _scores(path)
        if before.keys() != after.keys():
            other = sorted(f"{t} ({m})" for t, m, _ in before.keys() ^ after.keys())
            raise InputError(f"not the same tasks as {base}: {', '.join(other)}", path=path)
        for (task, metric, upward), items in sorted(before.items()):
            if items.keys() != after[task, metric, upward].keys():
                raise InputError(
                    f"task '{task}': not the same items as {base}",
                    path=path,
                    fix="run both with the same --limit and task data",
                )
            names = sorted(items)
            old = np.array([items[name] for name in names])
            new = np.array([after[task, metric, upward][name] for name in names])
            # One seed for the three: the items have the same weights in each round.
            drawn = Resampling(
                rounds=rounds, confidence=confidence, seed=seed_for(seed, "tax", task)
            )
            scores = np.concatenate([old, new])
            shares = bool((scores >= 0).all() and (scores <= 1).all())
            mean_before, mean_after, difference = (
                drawn.mean(values, least, 1)
                if shares
                else drawn.interval(mean_of(values), len(values))
                for values, least in (
                    (old, 0),
                    (new, 0),
                    (new - old if upward else old - new, -1),
                )
            )
            rows.append(
                TaskTax(
                    task=task,
                    metric=metric,
                    arm=arm,
                    base=mean_before,
                    tuned=mean_after,
                    difference=difference,
                    items=len(names),
                    higher_is_better=upward,
                )
            )
    return sorted(rows, key=lambda row: (row.task, row.metric, row.arm))


def _scores(path: Path) -> tuple[str, Scores]:
    """The one model of a file, and its scores: task → item → score."""
    models: set[str] = set()
    scores: Scores = {}
    for item in read_records(path, BenchmarkItem):
        models.add(item.model)
        task = (item.task, item.metric, item.higher_is_better)
        scores.setdefault(task, {})[item.item_id] = item.value
    if len(models) != 1:
        raise InputError(f"holds the items of {len(models)} models instead of one", path=path)
    return models.pop(), scores
