"""The alignment tax: what tuning costs on benchmarks, item by item.

Both models answered the same items, so the difference is taken per item before averaging, and the
interval is a bootstrap over items: much narrower than that of two independent accuracies
(Miller 2024, arXiv 2411.00640, section 4). Intervals are not corrected for the number of tasks.
A negative difference is a loss: of a metric whose lower values are better it is base minus tuned.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from limaflow.analysis.measured_tasks import (
    Measured,
    Results,
    check_alike,
    common_tasks,
    measured,
)
from limaflow.intervals import ROUNDING, Interval, Resampling, ratio_of
from limaflow.jsonl import read_json
from limaflow.lm_evaluation.metrics import Scale
from limaflow.measures.summaries import Conditions, TaskTax
from limaflow.seeds import seed_for

Values = NDArray[np.float64]


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
    before = measured(base, known)
    resampling = Resampling(rounds=rounds, confidence=confidence, seed=seed)
    rows = []
    for path in tuned:
        after = measured(path, known)
        check_alike(before, after)
        common = common_tasks(before, after)
        rows += [_paired(before, after, task, resampling) for task in common]
        rows += _unpaired(before, after, common)
    return sorted(rows, key=lambda row: (row.task, row.metric, row.arm))


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
