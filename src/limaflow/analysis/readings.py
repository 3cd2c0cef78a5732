"""The summaries that statistics hand to tables, figures and claims, typed as they are read."""

from dataclasses import dataclass

from limaflow.intervals import Interval


@dataclass(frozen=True, kw_only=True)
class Preference:
    """One comparison by one judge, from the view of `first`; see `limaflow judge summarize`."""

    comparison: str
    first: str
    second: str
    judge: str
    prompts: int
    errors: int
    win: Interval
    tie: Interval
    lose: Interval
    adjusted_win: Interval
    position_consistency: Interval | None = None

    def seen_from(self, arm: str) -> "Preference":
        """The same comparison from the view of `arm`, one of its two."""
        if arm == self.first:
            return self
        return Preference(
            comparison=self.comparison,
            first=self.second,
            second=self.first,
            judge=self.judge,
            prompts=self.prompts,
            errors=self.errors,
            win=self.lose,
            tie=self.tie,
            lose=self.win,
            adjusted_win=mirrored(self.adjusted_win),
            position_consistency=self.position_consistency,
        )


@dataclass(frozen=True, kw_only=True)
class MeanGrade:
    """Mean grade of one model by one judge; see `limaflow judge summarize-grades`."""

    model: str
    judge: str
    scale: str
    prompts: int
    errors: int
    mean: Interval


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
