"""How the score of one benchmark item is read, for each metric of lm-eval.

A metric is one line of METRICS: a function that reads score and weight from what lm-eval notes of
an item, which way is better, the scale, and how the weighted mean of the scores becomes the task's
result. Where it does not, as for BLEU over a corpus, items cannot be paired by this metric.
"""

import math
import numbers
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

Read = tuple[float, float]
"""Score of one item and its weight."""
Scale = tuple[float, float]
"""Lowest and highest value that a score can have."""


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A metric of lm-eval."""

    read: Callable[[Any], Read | None]
    """Score and weight in what lm-eval notes of an item; None where there is none."""
    higher_is_better: bool = True
    """Where lm-eval says nothing of it for a task; what a task says counts."""
    by_definition: bool = False
    """Whether that direction lies in the metric itself, so that a task cannot say otherwise."""
    scale: Scale | None = (0, 1)
    """None where it has no ends, or they are not known."""
    result: Callable[[float], float] = float
    """The task's result from the weighted mean of the scores."""
    scored_as: str = ""
    """What a score is, where it is not the metric itself; then a higher one is always better."""


def ends_of(scale: Scale) -> str:
    """A scale for people: `0 to 100`."""
    return "{:g} to {:g}".format(*scale)


def number(value: Any) -> Read | None:
    """A score that lm-eval notes as it is."""
    return (float(value), 1.0) if isinstance(value, numbers.Real) else None


def brier(value: Any) -> Read | None:
    """Squared distance of the choices' probabilities from the right answer (Brier 1950).

    lm-eval notes the pair of right choice and probabilities, and averages at the end.
    """
    try:
        right, probabilities = value
        distance = math.fsum((float(p) - (i == right)) ** 2 for i, p in enumerate(probabilities))
    except (TypeError, ValueError):
        return None
    return distance, 1.0


def per_unit(value: Any) -> Read | None:
    """Log-likelihood (nats) for each word or byte of a text, weighted by their number."""
    try:
        log_likelihood, units = value
        return float(log_likelihood) / units, float(units)
    except (TypeError, ValueError, ZeroDivisionError):
        return None


def bits(value: Any) -> Read | None:
    """Bits for each byte of a text, weighted by their number."""
    found = per_unit(value)
    return found and (-found[0] / math.log(2), found[1])


def perplexity(mean_log_likelihood: float) -> float:
    """Of a mean log-likelihood (nats)."""
    try:
        return math.exp(-mean_log_likelihood)
    except OverflowError:
        return math.inf


_SHARE = Metric(read=number)
_PERCENT = Metric(read=number, scale=(0, 100))
_PERCENT_GAP = Metric(read=number, scale=(-100, 100))
_ERRORS = Metric(read=number, higher_is_better=False, by_definition=True, scale=None)

# Of the metrics that a task reports, the first of these stands for it.
METRICS: dict[str, Metric] = {
    "acc_norm": _SHARE,
    "acc": _SHARE,
    "exact_match": _SHARE,
    "em": _SHARE,
    "f1": _SHARE,
    "mc2": _SHARE,
    "mc1": _SHARE,
    "acc_mutual_info": _SHARE,
    "acc_bytes": _SHARE,
    "exact": _SHARE,
    "prompt_level_strict_acc": _SHARE,
    "prompt_level_loose_acc": _SHARE,
    "pct_stereotype": Metric(read=number, higher_is_better=False),
    "brier_score": Metric(read=brier, higher_is_better=False, by_definition=True, scale=(0, 2)),
    "bleu_max": _PERCENT,
    "rouge1_max": _PERCENT,
    "rouge2_max": _PERCENT,
    "rougeL_max": _PERCENT,
    "bleu_acc": _SHARE,
    "rouge1_acc": _SHARE,
    "rouge2_acc": _SHARE,
    "rougeL_acc": _SHARE,
    "bleu_diff": _PERCENT_GAP,
    "rouge1_diff": _PERCENT_GAP,
    "rouge2_diff": _PERCENT_GAP,
    "rougeL_diff": _PERCENT_GAP,
    "bleu": _PERCENT,
    "chrf": _PERCENT,
    "wer": _ERRORS,
    "cer": _ERRORS,
    "ter": _ERRORS,
    "likelihood_diff": Metric(read=number, higher_is_better=False, scale=None),
    "bits_per_byte": Metric(read=bits, higher_is_better=False, by_definition=True, scale=None),
    "perplexity": Metric(
        read=number, scale=None, result=perplexity, scored_as="log-likelihood of an item"
    ),
    "word_perplexity": Metric(
        read=per_unit, scale=None, result=perplexity, scored_as="log-likelihood of a word"
    ),
    "byte_perplexity": Metric(
        read=per_unit, scale=None, result=perplexity, scored_as="log-likelihood of a byte"
    ),
}
OTHER = Metric(read=number, scale=None)
"""Any other metric that a task reports, after those."""


def metric_of(key: str) -> Metric:
    """The metric of lm-eval's `metric,filter`."""
    return METRICS.get(key.partition(",")[0], OTHER)


def preference(key: str) -> int:
    """The place of lm-eval's `metric,filter` in the order in which metrics stand for a task."""
    name = key.partition(",")[0]
    return [*METRICS].index(name) if name in METRICS else len(METRICS)


def scale_of(metric: Metric, scores: Sequence[float]) -> Scale | None:
    """The scale of a metric; scores that are all 0 or 1 show that of one that is not known."""
    unknown = metric is OTHER and all(score in (0, 1) for score in scores)
    return (0, 1) if unknown else metric.scale
