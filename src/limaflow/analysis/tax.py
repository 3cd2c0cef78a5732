"""The alignment tax: what tuning costs on benchmarks, item by item.

Both models answered the same items, so the difference is taken per item before averaging, and the
interval is one over items: much narrower than that of two independent accuracies (Miller 2024,
arXiv 2411.00640, section 4). Scores from 0 to 1 have intervals that keep a width where no item
changed; others have those of the bootstrap. Intervals are not corrected for the number of tasks.
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
    conditions_of,
    measured,
)
from limaflow.analysis.tax_split import split_of, sureness_of
from limaflow.analysis.unpaired_tasks import unpaired_tasks
from limaflow.intervals import Interval, Resampling, ratio_of
from limaflow.jsonl import read_json
from limaflow.lm_evaluation.metrics import Scale
from limaflow.measures.summaries import TaskTax
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

    A model that was asked in several formats has rows for each; the base is always as it is mainly
    asked.

    Args:
        base: items.jsonl of the base; `tuned` are those of the others.
        results: results.json of all of them, for tasks that are not paired and for how each was
            measured.

    Raises:
        InputError: a model was not given exactly the base's tasks, items and prompts, in the same
            precision; an item stands twice, or its score is no number.
    """
    known = {found.model: found for found in (read_json(path, Results) for path in results)}
    before = measured(base, known)[0]
    resampling = Resampling(rounds=rounds, confidence=confidence, seed=seed)
    rows: list[TaskTax] = []
    for path in tuned:
        for number, after in enumerate(measured(path, known)):
            check_alike(before, after)
            common = common_tasks(before, after)
            found = [_paired(before, after, task, resampling) for task in common]
            found += unpaired_tasks(before, after, common)
            rows += [replace(row, further_format=after.format if number else "") for row in found]
    return sorted(rows, key=lambda row: (row.task, row.metric, row.arm, row.further_format))


def _paired(before: Measured, after: Measured, task: str, resampling: Resampling) -> TaskTax:
    scored, other = before.tasks[task], after.tasks[task]
    names = sorted(scored.items)
    old = np.array([scored.items[name].value for name in names])
    new = np.array([other.items[name].value for name in names])
    weights = np.array([scored.items[name].weight for name in names])
    # One seed for the three: the same items are drawn in each round.
    drawn = replace(resampling, seed=seed_for(resampling.seed, "tax", task))
    ends = _ends(scored.scale, np.concatenate([old, new]))
    changes = None if ends is None else (ends[0] - ends[1], ends[1] - ends[0])
    change = new - old if scored.higher_is_better else old - new
    pairs = [(scored.items[name], other.items[name]) for name in names]
    are_shares = scored.higher_is_better and ends == (0, 1)
    return TaskTax(
        task=task,
        metric=scored.metric,
        arm=after.arm,
        base=_mean(old, weights, ends, drawn),
        tuned=_mean(new, weights, ends, drawn),
        difference=_mean(change, weights, changes, drawn),
        items=len(names),
        higher_is_better=scored.higher_is_better,
        scale=scored.scale,
        conditions=conditions_of(before, after, task),
        split=split_of(pairs, drawn) if are_shares else None,
        sureness=sureness_of(pairs, drawn),
    )


def _ends(scale: Scale | None, scores: Values) -> Scale | None:
    """The scale that intervals keep a width on; None of scores that it says little of.

    Those are scores that are no shares, except where all stand at the ends of a known scale.
    """
    if scale is not None and np.isin(scores, scale).all():
        return scale
    return (0.0, 1.0) if ((scores >= 0) & (scores <= 1)).all() else None


def _mean(values: Values, weights: Values, ends: Scale | None, drawn: Resampling) -> Interval:
    if ends is not None:
        return drawn.mean(values, *ends, weights)
    return drawn.interval(ratio_of(weights * values, weights), len(values))
