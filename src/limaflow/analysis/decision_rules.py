"""How a measured interval decides a claim. Four rules, and how several measurements join.

An interval decides only when the whole of it lies on one side; otherwise the claim stays
undecided, whatever the point estimate says. For claims of no difference the rule is that of an
equivalence test by intervals (Schuirmann 1987): absence of a significant difference is no support.
"""

from typing import Literal

from limaflow.intervals import Interval

Decision = Literal["supported", "contradicted", "undecided", "not tested here"]


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


def every(decisions: list[Decision]) -> Decision:
    """A claim about several measurements holds if each does, and falls with one."""
    if not decisions:
        return "not tested here"
    if "contradicted" in decisions:
        return "contradicted"
    return "supported" if set(decisions) == {"supported"} else "undecided"
