"""The alignment tax: what tuning costs on benchmarks, item by item.

Both models answered the same items, so the difference is taken per item before averaging, and the
interval is a bootstrap over items: much narrower than that of two independent accuracies
(Miller 2024, arXiv 2411.00640, section 4). Intervals are not corrected for the number of tasks.
A negative difference is a loss: of a metric whose lower values are better it is base minus tuned.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from limaflow.errors import InputError
from limaflow.intervals import ROUNDING, Interval, Resampling, ratio_of
from limaflow.jsonl import read_json, read_records
from limaflow.lm_evaluation.metrics import metric_of
from limaflow.measures.summaries import Conditions, TaskTax
from limaflow.records import BenchmarkItem
from limaflow.seeds import seed_for

Values = NDArray[np.float64]
Scale = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class TaskResult:
    """What results.json says of one task."""

    metric: str
    value: float | None
    items: int
    higher_is_better: bool
    scale: Scale | None = None
    unpaired: str = ""
    few_shot: str = ""
    version: str = ""
    definition: str = ""


@dataclass(frozen=True, kw_only=True)
class RunFacts:
    """How the tasks were put to a model."""

    limit: int | None = None
    format: str = ""
    precision: str = ""
    revision: str | None = None


@dataclass(frozen=True, kw_only=True)
class Results:
    """What is read of one model's results.json."""

    model: str
    scores: dict[str, TaskResult]
    run: RunFacts = field(default_factory=RunFacts)


@dataclass(frozen=True)
class Scored:
    """The items of one task by one model."""

    metric: str
    higher_is_better: bool
    scale: Scale | None
    items: Mapping[str, BenchmarkItem]


@dataclass(frozen=True)
class Measured:
    """One model: its file of items, its scores, and its results where they were given."""

    path: Path
    arm: str
    tasks: Mapping[str, Scored]
    results: Results | None


def alignment_tax(
    base: Path,
    tuned: list[Path],
    *,
    rounds: int,
    confidence: float,
    seed: int,
    results: Sequence[Path] = (),
) -> list[TaskTax]:
    """Base, tuned and paired difference of every task, for every tuned model.

    Args:
        base: items.jsonl of the base; `tuned` are those of the others.
        results: results.json of all of them, for tasks that are not paired and for how each was
            measured.

    Raises:
        InputError: a model was not given exactly the base's tasks, items and prompts, in the same
            precision; an item stands twice, or its score is no number.
    """
    known = {found.model: found for found in (read_json(path, Results) for path in results)}
    before = _measured(base, known)
    resampling = Resampling(rounds=rounds, confidence=confidence, seed=seed)
    rows = []
    for path in tuned:
        after = _measured(path, known)
        _check_alike(before, after)
        common = _common_tasks(before, after)
        rows += [_paired(before, after, task, resampling) for task in common]
        rows += _unpaired(before, after, common)
    return sorted(rows, key=lambda row: (row.task, row.metric, row.arm))


def _measured(path: Path, known: Mapping[str, Results]) -> Measured:
    """The one model of a file, and its scores."""
    items = list(read_records(path, BenchmarkItem))
    models = {item.model for item in items}
    if not models:
        # All of its tasks may be of a kind that is not paired.
        models = {found.model for found in known.values() if found.model == path.parent.name}
    if len(models) != 1:
        raise InputError(f"holds the items of {len(models)} models instead of one", path=path)
    by_task: dict[str, list[BenchmarkItem]] = {}
    for item in items:
        by_task.setdefault(item.task, []).append(item)
    arm = models.pop()
    tasks = {task: _scored(task, found, path) for task, found in by_task.items()}
    return Measured(path, arm, tasks, known.get(arm))


def _scored(task: str, items: Sequence[BenchmarkItem], path: Path) -> Scored:
    facts = {(item.metric, item.higher_is_better, item.scale) for item in items}
    if len(facts) > 1:
        raise InputError(f"task '{task}' has items of several metrics or scales", path=path)
    metric, direction, scale = facts.pop()
    by_id: dict[str, BenchmarkItem] = {}
    for item in items:
        if item.item_id in by_id:
            raise InputError(f"task '{task}': item {item.item_id} stands twice", path=path)
        if not math.isfinite(item.value):
            raise InputError(f"task '{task}': item {item.item_id} has no number", path=path)
        by_id[item.item_id] = item
    usual = metric_of(metric)
    return Scored(
        metric,
        usual.higher_is_better if direction is None else direction,
        usual.scale if scale is None else scale,
        by_id,
    )


def _check_alike(before: Measured, after: Measured) -> None:
    """See that two models were measured in one way."""
    if not (before.results and after.results):
        return
    for name in ("precision", "limit"):
        one, other = getattr(before.results.run, name), getattr(after.results.run, name)
        if one != other:
            raise InputError(
                f"measured with {name} {other}, and '{before.arm}' with {one}",
                path=after.path,
                fix="measure both alike",
            )
    for task in before.results.scores.keys() & after.results.scores.keys():
        own, others = before.results.scores[task], after.results.scores[task]
        if own.definition != others.definition:
            raise InputError(
                f"task '{task}' was defined otherwise when '{before.arm}' was measured",
                path=after.path,
                fix="measure both again",
            )


def _common_tasks(before: Measured, after: Measured) -> list[str]:
    """The tasks that are paired; one that has scores of one model alone must have both results."""
    common = [
        task
        for task, scored in before.tasks.items()
        if task in after.tasks and after.tasks[task].metric == scored.metric
    ]
    known = (
        before.results.scores.keys() & after.results.scores.keys()
        if before.results and after.results
        else set()
    )
    different = {
        f"{task} ({scored.metric})"
        for measured in (before, after)
        for task, scored in measured.tasks.items()
        if task not in common and task not in known
    }
    if different:
        raise InputError(
            f"not the same tasks as {before.path}: {', '.join(sorted(different))}", path=after.path
        )
    for task in common:
        _check_items(task, before.tasks[task], after.tasks[task], before.path, after.path)
    return common


def _check_items(task: str, before: Scored, after: Scored, base: Path, tuned: Path) -> None:
    if before.items.keys() != after.items.keys():
        raise InputError(
            f"task '{task}': not the same items as {base}",
            path=tuned,
            fix="run both with the same --limit and task data",
        )
    if (before.higher_is_better, before.scale) != (after.higher_is_better, after.scale):
        raise InputError(f"task '{task}': not the same direction or scale as {base}", path=tuned)
    others = [i for i, item in before.items.items() if item.prompt != after.items[i].prompt]
    if others:
        raise InputError(
            f"task '{task}': {len(others)} items were asked otherwise than in {base}, "
            f"such as {others[0]}",
            path=tuned,
            fix="measure both again: the task, its data or its examples have changed",
        )


def _paired(before: Measured, after: Measured, task: str, resampling: Resampling) -> TaskTax:
    scored, other = before.tasks[task], after.tasks[task]
    names = sorted(scored.items)
    old = np.array([scored.items[name].value for name in names])
    new = np.array([other.items[name].value for name in names])
    weights = np.array([scored.items[name].weight for name in names])
    # One seed for the three: the same items are drawn in each round.
    drawn = replace(resampling, seed=seed_for(resampling.seed, "tax", task))
    scale = scored.scale
    span = None if scale is None else scale[1] - scale[0]
    change = new - old if scored.higher_is_better else old - new
    return TaskTax(
        task=task,
        metric=scored.metric,
        arm=after.arm,
        base=_mean(old, weights, scale, drawn),
        tuned=_mean(new, weights, scale, drawn),
        difference=_mean(change, weights, None if span is None else (-span, span), drawn),
        items=len(names),
        higher_is_better=scored.higher_is_better,
        scale=scale,
        conditions=_conditions(before, after, task),
    )


def _mean(values: Values, weights: Values, scale: Scale | None, drawn: Resampling) -> Interval:
    """Weighted mean of scores, or of their changes.

    Where all items are right, wrong or unchanged no resample differs, which is no certainty: the
    interval then has the room of `Resampling.share`.
    """
    found = drawn.interval(ratio_of(weights * values, weights), len(values))
    if scale is None or found.high - found.low > ROUNDING:
        return found
    low, high = scale
    if not np.isin(values, (low, (low + high) / 2, high)).all():
        return found
    share = drawn.share(weights * (values - low) / (high - low), weights)
    return Interval(found.estimate, *(low + (high - low) * end for end in (share.low, share.high)))


def _unpaired(before: Measured, after: Measured, common: Sequence[str]) -> list[TaskTax]:
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
                base=_point(own.value),
                tuned=_point(other.value),
                difference=None,
                items=own.items,
                higher_is_better=own.higher_is_better,
                scale=own.scale,
                unpaired=own.unpaired or other.unpaired or "two metrics",
                conditions=_conditions(before, after, task),
            )
        )
    return rows


def _point(value: float | None) -> Interval | None:
    """A value of which no interval is known."""
    return None if value is None else Interval(value, value, value)


def _conditions(before: Measured, after: Measured, task: str) -> Conditions | None:
    """How a task was put to the two models, where their results were given."""
    if not (before.results and after.results):
        return None
    own, base, tuned = after.results.scores[task], before.results.run, after.results.run
    return Conditions(
        few_shot=own.few_shot,
        version=own.version,
        limit=tuned.limit,
        precision=tuned.precision,
        base_format=base.format,
        format=tuned.format,
        base_revision=base.revision,
        revision=tuned.revision,
    )
