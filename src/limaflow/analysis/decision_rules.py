"""How a measured interval decides a claim, and how several measurements join.

An interval decides only when the whole of it lies on one side; otherwise the claim stays
undecided, whatever the point estimate says. For claims of no difference the rule is that of an
equivalence test by intervals (Schuirmann 1987, doi:10.1007/BF01068419): absence of a significant
difference is no support. docs/statistics.md gives the level and the power of each rule.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist
from typing import Literal

from limaflow.intervals import Interval

Decision = Literal["supported", "contradicted", "undecided", "not tested here"]
ALONE: Literal["supports nothing alone"] = "supports nothing alone"
Bearing = Decision | Literal["supports nothing alone"]
"""What one number means for a claim."""

ONE_SIDED = 0.95
"""Confidence of each of two one-sided tests; both together are an interval of 90 %."""
SURE = 0.975
"""Confidence of the interval of a mean that has to lie below 0 for a sure loss. That leaves half of
the 2.5 % of one tail to the tests of single tasks."""
POWER = 0.8
WIDEST_MARGIN = 0.1
"""Beyond ten points a share that counts as replicated may be another finding."""


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
    return "supported" if _inside(both_one_sided(difference, confidence), margin) else "undecided"


def both_one_sided(interval: Interval, confidence: float) -> Interval:
    """The interval of which each end is the bound of a one-sided test."""
    return interval.at(2 * ONE_SIDED - 1, of=confidence)


def times_as_many(difference: Interval, margin: float, *, confidence: float) -> float:
    """How many times the items a difference of 0 needs to be supported with power 80 %."""
    bounds = both_one_sided(difference, confidence)
    error = (bounds.high - bounds.low) / 2 / _normal(ONE_SIDED)
    return float((equivalence_reach() * error / margin) ** 2)


def equivalence_reach() -> float:
    """Margin in standard errors at which two one-sided tests support a true 0 with power 80 %."""
    return _normal(ONE_SIDED) + _normal((1 + POWER) / 2)


def no_sure_loss(p_values: Sequence[float], level: float) -> list[Bearing]:
    """Of each number: whether its loss is sure by Holm's method (1979) over all of them.

    Args:
        p_values: one-sided, for a loss.
        level: the chance that any is called sure where none is a loss.
    """
    found: list[Bearing] = [ALONE] * len(p_values)
    for rank, place in enumerate(sorted(range(len(p_values)), key=lambda n: p_values[n])):
        if p_values[place] > level / (len(p_values) - rank):
            break
        found[place] = "contradicted"
    return found


@dataclass(frozen=True)
class Margin:
    """How far around a share of the paper's another one counts as the same."""

    value: float
    prompts: float
    needed: float
    """With which an exact replication of the paper's size is supported with power 80 %."""

    @property
    def decides(self) -> bool:
        """Whether the paper's sample lets anyone decide within `WIDEST_MARGIN`."""
        return self.needed <= WIDEST_MARGIN

    @property
    def size(self) -> float:
        """The margin that is used."""
        return min(self.needed, WIDEST_MARGIN)

    @property
    def reason(self) -> str:
        """Why it is of this size, for people."""
        if self.decides:
            return (
                f"±{100 * self.needed:.1f} points, within which an exact replication on the "
                f"paper's {self.prompts:g} prompts falls with a chance of {POWER:.0%}"
            )
        return (
            f"the paper's sample cannot decide: an exact replication on {self.prompts:g} prompts "
            f"would need ±{100 * self.needed:.0f} points. Our own sample decides alone, within "
            f"±{100 * WIDEST_MARGIN:.0f} points of the share as printed"
        )


def replication_margin(value: float, prompts: float) -> Margin:
    """The margin around a share that the paper found on so many prompts.

    Two samples of that size from one truth differ by √2 standard errors. The margin is what lets
    two one-sided tests of the second against the first as printed be passed with power 80 %:
    (1.645 + √2 · 1.282) standard errors. These are of a share with two prompts of each kind added
    (Agresti & Coull 1998), so that 0 and 1 have a width.
    """
    near = (value * prompts + 2) / (prompts + 4)
    error = sqrt(near * (1 - near) / prompts)
    reach = _normal(ONE_SIDED) + sqrt(2) * _normal((1 + POWER) / 2)
    return Margin(value, prompts, reach * error)


def replicates(share: Interval, margin: Margin, *, confidence: float) -> Decision:
    """Whether a share is the paper's, by two one-sided tests on either side of each end.

    Args:
        confidence: of `share`.
    """
    bounds = both_one_sided(share, confidence)
    apart = Interval(*(end - margin.value for end in (bounds.estimate, bounds.low, bounds.high)))
    if _inside(apart, margin.size):
        return "supported"
    apart_for_sure = apart.low > margin.size or apart.high < -margin.size
    return "contradicted" if apart_for_sure else "undecided"


def _inside(difference: Interval, margin: float) -> bool:
    return -margin <= difference.low and difference.high <= margin


def _normal(chance: float) -> float:
    return NormalDist().inv_cdf(chance)


def joined(bearings: Sequence[Bearing]) -> Bearing:
    """What several numbers mean together: they support if each does, and fall with one."""
    if "contradicted" in bearings:
        return "contradicted"
    deciding = {bearing for bearing in bearings if bearing != ALONE}
    if bearings and not deciding:
        return ALONE
    return "supported" if deciding == {"supported"} else "undecided"


def every(bearings: Sequence[Bearing]) -> Decision:
    """A claim about several measurements holds if each does, and falls with one."""
    if not bearings:
        return "not tested here"
    together = joined(bearings)
    return "undecided" if together == ALONE else together
