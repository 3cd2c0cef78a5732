"""How a measured interval decides a claim, and how several measurements join.

An interval decides only when the whole of it lies on one side; otherwise the claim stays
undecided, whatever the point estimate says. For claims of no difference the rule is that of an
equivalence test by intervals (Schuirmann 1987, doi:10.1007/BF01068419): absence of a significant
difference is no support. docs/statistics.md gives the level and the power of each rule.
"""

from collections.abc import Sequence
from statistics import NormalDist
from typing import Literal

from limaflow.analysis.many_tests import holm
from limaflow.intervals import Interval

Decision = Literal["supported", "contradicted", "undecided", "not tested here"]
ALONE: Literal["supports nothing alone"] = "supports nothing alone"
SHOWN: Literal["no part of the verdict"] = "no part of the verdict"
Bearing = Decision | Literal["supports nothing alone", "no part of the verdict"]
"""What one number means for a claim."""

ONE_SIDED = 0.95
"""Confidence of each of two one-sided tests; both together are an interval of 90 %."""
SURE = 0.975
"""Confidence of the interval of a mean that has to lie below 0 for a sure loss. That leaves half of
the 2.5 % of one tail to the tests of single tasks."""
POWER = 0.8


def above(interval: Interval, bound: float) -> Decision:
    """Whether the quantity exceeds `bound`."""
    if interval.low > bound:
        return "supported"
    return "contradicted" if interval.high < bound else "undecided"


def below(interval: Interval, bound: float) -> Decision:
    """Whether the quantity stays under `bound`."""
    if interval.high < bound:
        return "supported"
    return "contradicted" if interval.low > bound else "undecided"


def within(interval: Interval, low: float, high: float) -> Decision:
    """Whether the quantity lies from `low` to `high`."""
    if low <= interval.low and interval.high <= high:
        return "supported"
    return "contradicted" if interval.high < low or interval.low > high else "undecided"


def no_loss(difference: Interval, margin: float) -> Decision:
    """Whether a paired difference shows no loss: a sure loss of any size contradicts, and only
    the exclusion of losses beyond `margin` supports."""
    if difference.high < 0:
        return "contradicted"
    return "supported" if difference.low >= -margin else "undecided"


def equivalent(difference: Interval, margin: float, *, confidence: float) -> Decision:
    """Whether a difference is none: two one-sided tests support, a sure loss contradicts.

    A gain beyond the margin supports nothing: then something else was measured than what tuning
    costs, such as whether an answer can be found in a reply.

    Args:
        confidence: of `difference`.
    """
    if difference.at(SURE, of=confidence).high < 0:
        return "contradicted"
    return "supported" if inside(both_one_sided(difference, confidence), margin) else "undecided"


def both_one_sided(interval: Interval, confidence: float) -> Interval:
    """The interval of which each end is the bound of a one-sided test."""
    return interval.at(2 * ONE_SIDED - 1, of=confidence)


def times_as_many(difference: Interval, margin: float, *, confidence: float) -> float:
    """How many times the items a difference of 0 needs to be supported with power 80 %."""
    bounds = both_one_sided(difference, confidence)
    error = (bounds.high - bounds.low) / 2 / quantile(ONE_SIDED)
    return float((equivalence_reach() * error / margin) ** 2)


def largest_loss(difference: Interval, confidence: float) -> float:
    """The loss above which a one-sided test excludes all; 0 where it excludes every loss.

    Args:
        confidence: of `difference`.
    """
    return max(0.0, -both_one_sided(difference, confidence).low)


def equivalence_reach() -> float:
    """Margin in standard errors at which two one-sided tests support a true 0 with power 80 %."""
    return quantile(ONE_SIDED) + quantile((1 + POWER) / 2)


def no_sure_loss(p_values: Sequence[float], level: float) -> list[Bearing]:
    """Of each number: whether its loss is sure by Holm's method (1979) over all of them.

    Args:
        p_values: one-sided, for a loss.
        level: the chance that any is called sure where none is a loss.
    """
    return ["contradicted" if found <= level else ALONE for found in holm(p_values)]


def inside(difference: Interval, margin: float) -> bool:
    """Whether the whole of it lies within ± the margin."""
    return -margin <= difference.low and difference.high <= margin


def quantile(chance: float) -> float:
    """Of a standard normal variable."""
    return NormalDist().inv_cdf(chance)


def joined(bearings: Sequence[Bearing]) -> Bearing:
    """What several numbers mean together: they support if each does, and fall with one."""
    if "contradicted" in bearings:
        return "contradicted"
    deciding = {bearing for bearing in bearings if bearing not in (ALONE, SHOWN)}
    if bearings and not deciding:
        return ALONE
    return "supported" if deciding == {"supported"} else "undecided"


def any_of(bearings: Sequence[Bearing]) -> Bearing:
    """What several numbers mean for a claim that one of them is enough for.

    One supports it; only all of them contradict it. Their intervals are those of
    `for_one_of_several`.
    """
    if "supported" in bearings:
        return "supported"
    deciding = {bearing for bearing in bearings if bearing not in (ALONE, SHOWN)}
    return "contradicted" if deciding == {"contradicted"} else "undecided"


def for_one_of_several(interval: Interval, number: int, *, confidence: float) -> Interval:
    """An interval so wide that the best of `number` of them keeps the level (Bonferroni).

    Args:
        confidence: of `interval`.
    """
    return interval.at(1 - (1 - confidence) / number, of=confidence) if number > 1 else interval


def every(bearings: Sequence[Bearing]) -> Decision:
    """A claim about several measurements holds if each does, and falls with one."""
    if not bearings:
        return "not tested here"
    together = joined(bearings)
    return "undecided" if together in (ALONE, SHOWN) else together
