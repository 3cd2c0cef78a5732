"""How the score of one benchmark item is read, for each metric of lm-eval.

A metric is one line of METRICS: a function that reads what lm-eval notes of an item, which way is
better, and the scale. The mean over the items must be the task's result; a metric that is no such
mean (perplexity of a corpus) has no score per item and cannot be compared item by item.
"""

import math
import numbers
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A metric of lm-eval."""

    read: Callable[[Any], float | None]
    """The score in what lm-eval notes of an item; None where it is no number."""
    higher_is_better: bool
    """Where lm-eval says nothing of it for a task; what a task says counts."""
    scale: str


def number(value: Any) -> float | None:
    """A score that lm-eval notes as it is."""
    return float(value) if isinstance(value, numbers.Real) else None


def brier(value: Any) -> float | None:
    """Squared distance of the choices' probabilities from the right answer (Brier 1950).

    lm-eval notes the pair of right choice and probabilities, and averages at the end.
    """
    try:
        right, probabilities = value
        return math.fsum((float(p) - (i == right)) ** 2 for i, p in enumerate(probabilities))
    except (TypeError, ValueError):
        return None


# Of the metrics that a task reports, the first of these stands for it.
METRICS: dict[str, Metric] = {
    "acc_norm": Metric(read=number, higher_is_better=True, scale="0 to 1"),
    "acc": Metric(read=number, higher_is_better=True, scale="0 to 1"),
    "exact_match": Metric(read=number, higher_is_better=True, scale="0 to 1"),
    "em": Metric(read=number, higher_is_better=True, scale="0 to 1"),
    "f1": Metric(read=number, higher_is_better=True, scale="0 to 1"),
    "mc2": Metric(read=number, higher_is_better=True, scale="0 to 1"),
    "brier_score": Metric(read=brier, higher_is_better=False, scale="0 to 2"),
}
OTHER = Metric(read=number, higher_is_better=True, scale="not known")
"""Any other metric that a task reports, after those."""


def metric_of(key: str) -> Metric:
    """The metric of lm-eval's `metric,filter`."""
    return METRICS.get(key.partition(",")[0], OTHER)


def preference(key: str) -> int:
    """The place of lm-eval's `metric,filter` in the order in which metrics stand for a task."""
    name = key.partition(",")[0]
    return [*METRICS].index(name) if name in METRICS else len(METRICS)
