"""What statistics come to: the summaries that judging and benchmarks hand to tables and claims."""

from dataclasses import dataclass, replace
from typing import Literal

from limaflow.intervals import Interval

Merge = Literal["strict", "mean"]


@dataclass(frozen=True, kw_only=True)
class Rates:
    """Shares of prompts won, tied and lost under one merge rule."""

    rule: Merge
    win: float
    tie: float
    lose: float


@dataclass(frozen=True, kw_only=True)
class MeanChars:
    """Mean length in characters of the responses that were shown; None where they are unknown."""

    first: float | None
    second: float | None


@dataclass(frozen=True, kw_only=True)
class Preference:
    """One comparison by one judge, seen from `first`."""

    comparison: str
    first: str
    second: str
    judge: str
    prompts: int
    """Prompts that count: with at least one sample on which no order failed."""
    errors: int
    """Verdicts that failed; `error_share` is their share of all verdicts."""
    error_share: float
    win: Interval
    tie: Interval
    lose: Interval
    adjusted_win: Interval
    """Wins and half the ties (Zheng et al. 2023, 2306.05685, FastChat's adjusted win rate)."""
    p_value: float
    merge: Merge
    other_merge: Rates
    position_consistency: Interval | None
    first_slot_share: float | None
    longer_wins: float | None
    mean_chars: MeanChars
    cost: float

    def seen_from(self, arm: str) -> "Preference":
        """The same comparison from the view of `arm`, one of its two."""
        if arm == self.first:
            return self
        other = self.other_merge
        return replace(
            self,
            first=self.second,
            second=self.first,
            win=self.lose,
            lose=self.win,
            adjusted_win=mirrored(self.adjusted_win),
            other_merge=replace(other, win=other.lose, lose=other.win),
            mean_chars=MeanChars(first=self.mean_chars.second, second=self.mean_chars.first),
        )


@dataclass(frozen=True, kw_only=True)
class GradeSummary:
    """Grades of one model by one judge; the mean is over prompts."""

    model: str
    judge: str
    scale: str
    prompts: int
    errors: int
    mean: Interval
    counts: dict[str, int]


@dataclass(frozen=True, kw_only=True)
class TaskTax:
    """One task before and after tuning; `difference` is tuned minus base on the same items."""

    task: str
    metric: str
    arm: str
    base: Interval
    tuned: Interval
    difference: Interval
    items: int


def mirrored(share: Interval) -> Interval:
    """The interval of 1 − share."""
    return Interval(1 - share.estimate, 1 - share.high, 1 - share.low)
