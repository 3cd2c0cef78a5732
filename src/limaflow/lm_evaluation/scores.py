"""What lm-eval found of each task, and the metric that stands for what was asked for.

A metric can be paired where every item has a score and their weighted mean gives the task's result.
Of those that can, the one that the configuration names counts, else what a group says that it
averages, else the first of METRICS. Where none can, the task keeps its result and is not paired.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from limaflow.errors import InputError
from limaflow.lm_evaluation.metrics import (
    Metric,
    Read,
    Scale,
    ends_of,
    metric_of,
    preference,
    scale_of,
)
from limaflow.lm_evaluation.readings import Reading, reading_of
from limaflow.lm_evaluation.tasks import Asked, item_id

Sample = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Scored:
    """One metric of one task by item."""

    metric: Metric
    higher_is_better: bool
    scale: Scale | None
    items: Mapping[str, Read]
    """Item → score and weight."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One task: all that lm-eval reports of it, and which of that can be paired."""

    metrics: Mapping[str, Mapping[str, float | None]]
    """`metric,filter` → value and standard error."""
    paired: Mapping[str, Scored]
    """In the order in which they stand for the task."""
    reasons: Mapping[str, str]
    """Why the others cannot be."""
    directions: Mapping[str, bool]
    """Metric → whether a higher result is better."""
    samples: Sequence[Sample]
    """Each item once."""
    readings: Mapping[str, Mapping[str, Reading]]
    """Answer filter → item → what was read."""


@dataclass(frozen=True, kw_only=True)
class Result:
    """One entry of `benchmarks.tasks`."""

    key: str
    """`metric,filter`; "" where the parts of a group share none."""
    value: float | None
    """The mean of the items; of what is not paired, lm-eval's own result, if it has one."""
    higher_is_better: bool
    scale: Scale | None
    scored_as: str
    items: Mapping[str, Read]
    """Item → score and weight; none where it is not paired."""
    unpaired: str
    """Why not; "" where it is."""
    others: tuple[str, ...]
    """What else could stand for it."""

    @property
    def metric(self) -> str:
        """`metric,filter`, and what a score of an item is where it is not that itself."""
        return f"{self.key}: {self.scored_as}" if self.scored_as else self.key

    @property
    def description(self) -> str:
        """Metric, direction and scale in words."""
        better = "higher is better" if self.higher_is_better else "lower is better"
        ends = "no known scale" if self.scale is None else ends_of(self.scale)
        note = f"; not paired: {self.unpaired}" if self.unpaired else ""
        others = f"; also reported: {', '.join(self.others)}" if self.others else ""
        return f"{self.metric or 'no common metric'} ({better}, {ends}){note}{others}"


def outcome_of(task: str, found: Mapping[str, Any]) -> Outcome:
    """One task in what lm-eval returns."""
    metrics = _metrics(found["results"][task])
    samples = sorted(found["samples"][task], key=lambda sample: int(sample["doc_id"]))
    stated = found["higher_is_better"].get(task, {})
    paired: dict[str, Scored] = {}
    reasons: dict[str, str] = {}
    directions: dict[str, bool] = {}
    for key in sorted(metrics, key=preference):
        name, _, answer_filter = key.partition(",")
        metric = metric_of(key)
        direction = None if metric.by_definition else stated.get(name)
        directions[key] = metric.higher_is_better if direction is None else bool(direction)
        kept = [s for s in samples if s["filter"] == answer_filter]
        scored = _scored(kept, name, metric, metrics[key]["value"])
        if isinstance(scored, str):
            reasons[key] = scored
            continue
        items, scale = scored
        better = True if metric.scored_as else directions[key]
        paired[key] = Scored(metric=metric, higher_is_better=better, scale=scale, items=items)
    first = samples[0]["filter"] if samples else ""
    return Outcome(
        metrics=metrics,
        paired=paired,
        reasons=reasons,
        directions=directions,
        samples=[sample for sample in samples if sample["filter"] == first],
        readings=_readings(samples),
    )


def _readings(samples: Sequence[Sample]) -> dict[str, dict[str, Reading]]:
    found: dict[str, dict[str, Reading]] = {}
    for sample in samples:
        item = item_id(sample["doc_id"], sample["doc_hash"])
        found.setdefault(sample["filter"], {})[item] = reading_of(sample)
    return found


def result_of(asked: Asked, outcomes: Mapping[str, Outcome], wanted: str) -> Result:
    """What stands for one entry of `benchmarks.tasks`.

    Args:
        outcomes: by task, of at least the entry's own.
        wanted: `metric` or `metric,filter` of the configuration; "" where it names none.

    Raises:
        InputError: no task of the entry reports the metric that is wanted.
    """
    parts = {part: outcomes[part] for part in asked.parts}
    reported = _common([[*o.paired, *o.reasons] for o in parts.values()])
    if wanted and not (reported := [key for key in reported if _is(key, wanted)]):
        known = _common([list(o.metrics) for o in parts.values()])
        raise InputError(
            f"benchmarks.metrics: '{asked.name}' reports no '{wanted}'",
            fix=f"it reports {', '.join(known) or 'no metric that all its tasks share'}",
        )
    listed = [key for named in asked.metrics for key in reported if _is(key, named)]
    usable = [key for key in reported if all(key in o.paired for o in parts.values())]
    order = [key for key in listed if key in usable] or usable or listed or reported
    if not order:
        return _unpaired("", asked, parts, "its tasks share no metric")
    key, others = order[0], tuple(k for k in reported if k != order[0])
    if key not in usable:
        part, outcome = next((p, o) for p, o in parts.items() if key in o.reasons)
        reason = outcome.reasons[key]
        return _unpaired(key, asked, parts, reason if part == asked.name else f"{part}: {reason}")
    scored = {part: outcome.paired[key] for part, outcome in parts.items()}
    if len({(s.higher_is_better, s.scale) for s in scored.values()}) > 1:
        return _unpaired(key, asked, parts, "its tasks have it on several scales or directions")
    items = {
        item if part == asked.name else f"{part}/{item}": (value, weight * _share(asked, s))
        for part, s in scored.items()
        for item, (value, weight) in s.items.items()
    }
    first = next(iter(scored.values()))
    return Result(
        key=key,
        value=mean(list(items.values())),
        higher_is_better=first.higher_is_better,
        scale=first.scale,
        scored_as=first.metric.scored_as,
        items=items,
        unpaired="",
        others=others,
    )


def mean(scores: Sequence[Read]) -> float:
    """Weighted mean of scores."""
    total = math.fsum(weight for _, weight in scores)
    return math.fsum(value * weight for value, weight in scores) / total


def _share(asked: Asked, scored: Scored) -> float:
    """What an item's weight is multiplied by, so that all tasks of a group may count alike."""
    if not asked.equal_parts:
        return 1.0
    return 1 / math.fsum(weight for _, weight in scored.items.values())


def _unpaired(key: str, asked: Asked, parts: Mapping[str, Outcome], reason: str) -> Result:
    """A result without scores; tasks of a group together have no value then."""
    outcome = next(iter(parts.values()))
    alone = len(parts) == 1 and bool(key)
    return Result(
        key=key,
        value=outcome.metrics[key]["value"] if alone else None,
        higher_is_better=outcome.directions.get(key, True),
        scale=metric_of(key).scale if key else None,
        scored_as="",
        items={},
        unpaired=reason,
        others=tuple(k for k in outcome.metrics if k != key) if alone else (),
    )


def _scored(
    samples: Sequence[Sample], name: str, metric: Metric, total: float | None
) -> tuple[dict[str, Read], Scale | None] | str:
    """Score and weight of each item, and the scale; or why this metric cannot be paired."""
    noted = {item_id(s["doc_id"], s["doc_hash"]): s[name] for s in samples if name in s}
    found = {item: metric.read(value) for item, value in noted.items()}
    read = {item: score for item, score in found.items() if score is not None}
    if not read or len(noted) < len(samples) or len(read) < len(noted):
        return "no score per item"
    if strange := sum(not math.isfinite(value) for value, _ in read.values()):
        return f"{strange} of {len(read)} items have a score that is no number"
    values, average = [value for value, _ in read.values()], mean(list(read.values()))
    if total is None:
        return "its result is no number"
    if _close(metric.result(average), total):
        return read, scale_of(metric, values)
    if metric.scale == (0, 1) and _close(100 * average, total):
        return {item: (100 * value, weight) for item, (value, weight) in read.items()}, (0, 100)
    return "the mean over items is not the task's result"


def _close(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-9)


def _common(lists: Sequence[Sequence[str]]) -> list[str]:
    """What all lists hold, in the order of the first."""
    return [key for key in lists[0] if all(key in other for other in lists)] if lists else []


def _is(key: str, named: str) -> bool:
    """Whether lm-eval's `metric,filter` is meant by that, or by the metric alone."""
    return named in (key, key.partition(",")[0])


def _metrics(raw: Mapping[str, Any]) -> dict[str, dict[str, float | None]]:
    """lm-eval's flat `acc,none`, `acc_stderr,none` as metric → value and standard error."""
    keys = [key for key in raw if "," in key and "_stderr," not in key]
    return {
        key: {"value": _number(raw[key]), "stderr": _number(raw.get(_stderr(key)))} for key in keys
    }


def _stderr(key: str) -> str:
    metric, _, answer_filter = key.partition(",")
    return f"{metric}_stderr,{answer_filter}"


def _number(value: Any) -> float | None:
    """A number that JSON can hold."""
    try:
        found = float(value)
    except (TypeError, ValueError):
        return None
    return found if math.isfinite(found) else None
