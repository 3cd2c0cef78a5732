"""The alignment tax: what tuning costs on benchmarks, item by item.

Both models answered the same items, so the difference is taken per item before averaging, and the
interval is one over items: much narrower than that of two independent accuracies (Miller 2024,
arXiv 2411.00640, section 4). Scores from 0 to 1 have intervals that keep a width where no item
changed; others have those of the bootstrap. Intervals and p-values are of each task alone;
`decision_rules` corrects for their number. A negative difference is a loss: of a metric whose lower
values are better it is base minus tuned.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from limaflow.analysis.contaminated_items import NOTHING_KNOWN, Contaminated
from limaflow.analysis.measured_tasks import (
    Measured,
    Results,
    Scored,
    check_alike,
    common_tasks,
    conditions_of,
    measured,
)
from limaflow.analysis.readers import Readings, check_graded, check_models, readers_of, readings_of
from limaflow.analysis.scaled_means import Values, either_way, scale_ends, scaled_mean
from limaflow.analysis.tax_split import split_of, sureness_of
from limaflow.analysis.unpaired_tasks import point, unpaired_tasks
from limaflow.intervals import Resampling
from limaflow.jsonl import read_json
from limaflow.measures.significance import loss_test
from limaflow.measures.summaries import TaskTax
from limaflow.records import AnswerGrade
from limaflow.seeds import seed_for


def alignment_tax(
    base: Path,
    tuned: list[Path],
    *,
    rounds: int,
    confidence: float,
    seed: int,
    results: Sequence[Path] = (),
    contaminated: Contaminated = NOTHING_KNOWN,
    graded: Sequence[AnswerGrade] = (),
) -> list[TaskTax]:
    """Base, tuned and paired difference of every task, for every tuned model.

    A model that was asked in several formats has rows for each; the base is always as it is mainly
    asked.

    Args:
        base: items.jsonl of the base; `tuned` are those of the others.
        results: results.json of all of them, for tasks that are not paired and for how each was
            measured.
        contaminated: items that training data hold.
        graded: what models and people say of replies.

    Raises:
        InputError: a model was not given exactly the base's tasks, items and prompts, in the same
            precision; an item stands twice, or its score is no number; a reply is graded that is
            not among the items.
    """
    known = {found.model: found for found in (read_json(path, Results) for path in results)}
    before = measured(base, known)[0]
    resampling = Resampling(rounds=rounds, confidence=confidence, seed=seed)
    rows: list[TaskTax] = []
    beside = Beside(contaminated, readings_of(graded))
    check_graded(beside.readings, [before])
    arms = {before.arm}
    for path in tuned:
        formats = measured(path, known)
        check_graded(beside.readings, formats)
        arms.add(formats[0].arm)
        for number, after in enumerate(formats):
            check_alike(before, after)
            common = common_tasks(before, after)
            found = [_paired(before, after, task, beside, resampling) for task in common]
            found += unpaired_tasks(before, after, common)
            rows += [replace(row, further_format=after.format if number else "") for row in found]
    check_models(beside.readings, arms)
    return sorted(rows, key=lambda row: (row.task, row.metric, row.arm, row.further_format))


@dataclass(frozen=True)
class Beside:
    """What is known of items beside their scores."""

    contaminated: Contaminated
    readings: Readings


def _paired(
    before: Measured, after: Measured, task: str, beside: Beside, resampling: Resampling
) -> TaskTax:
    scored, other = before.tasks[task], after.tasks[task]
    names = sorted(scored.items)
    old = np.array([scored.items[name].value for name in names])
    new = np.array([other.items[name].value for name in names])
    weights = np.array([scored.items[name].weight for name in names])
    # One seed for the three: the same items are drawn in each round.
    drawn = replace(resampling, seed=seed_for(resampling.seed, "tax", task))
    ends = scale_ends(scored.scale, np.concatenate([old, new]))
    known = scored.scale
    change = new - old if scored.higher_is_better else old - new
    difference = scaled_mean(change, weights, either_way(ends), either_way(known), drawn)
    pairs = [(scored.items[name], other.items[name]) for name in names]
    are_shares = scored.higher_is_better and ends == (0, 1)
    seen = beside.contaminated.among(after.arm, task, names)
    clean = ~np.isin(names, seen or [])
    readers, agreements = (
        readers_of(pairs, (before, after), beside.readings, drawn) if are_shares else ((), ())
    )
    return TaskTax(
        task=task,
        metric=scored.metric,
        arm=after.arm,
        base=scaled_mean(old, weights, ends, known, drawn)
        or point(np.average(old, weights=weights)),
        tuned=scaled_mean(new, weights, ends, known, drawn)
        or point(np.average(new, weights=weights)),
        difference=difference,
        unpaired="" if difference else "all items changed alike, on a scale without known ends",
        loss_p_value=loss_test(change * weights, drawn.seed) if difference else None,
        items=len(names),
        higher_is_better=scored.higher_is_better,
        scale=scored.scale,
        chance=_chance(scored, names, weights),
        conditions=conditions_of(before, after, task),
        split=split_of(pairs, drawn) if are_shares else None,
        sureness=sureness_of(pairs, drawn),
        contaminated=None if seen is None else len(seen),
        clean=scaled_mean(change[clean], weights[clean], either_way(ends), either_way(known), drawn)
        if seen and clean.any()
        else None,
        readers=readers,
        agreements=agreements,
    )


def _chance(scored: Scored, names: Sequence[str], weights: Values) -> float | None:
    """The accuracy of guessing; None where it is none, or an item does not say its choices."""
    choices = [scored.items[name].choices for name in names]
    known = np.array([count for count in choices if count], dtype=np.float64)
    if not scored.metric.startswith("acc") or len(known) < len(choices):
        return None
    return float((weights / known).sum() / weights.sum())
