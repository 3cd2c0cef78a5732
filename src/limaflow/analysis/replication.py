"""Whether a share of ours is that of the paper: the margin that its sample allows, the decision.

docs/statistics.md gives the power and says what the margin of another rule would be.
"""

from dataclasses import dataclass
from math import sqrt

from limaflow.analysis.decision_rules import (
    ONE_SIDED,
    POWER,
    Decision,
    both_one_sided,
    inside,
    quantile,
)
from limaflow.intervals import Interval

WIDEST_MARGIN = 0.1
"""Beyond ten points a share that counts as replicated may be another finding."""


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
                f"±{100 * self.needed:.1f} points, with which an exact replication on as many "
                f"prompts as the paper's {self.prompts:g} is supported with a chance of "
                f"{100 * POWER:.0f} %"
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
    reach = quantile(ONE_SIDED) + sqrt(2) * quantile((1 + POWER) / 2)
    return Margin(value, prompts, reach * error)


def replicates(share: Interval, margin: Margin, *, confidence: float) -> Decision:
    """Whether a share is the paper's, by two one-sided tests on either side of each end.

    Args:
        confidence: of `share`.
    """
    bounds = both_one_sided(share, confidence)
    apart = Interval(*(end - margin.value for end in (bounds.estimate, bounds.low, bounds.high)))
    if inside(apart, margin.size):
        return "supported"
    apart_for_sure = apart.low > margin.size or apart.high < -margin.size
    return "contradicted" if apart_for_sure else "undecided"
