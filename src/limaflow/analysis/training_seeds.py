"""What each training seed of an arm came to, beside the interval of the arm's summary."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from limaflow.intervals import Interval
from limaflow.measures.summaries import GradeSummary, Preference, TaskTax
from limaflow.measures.training_seeds import FEWEST_SEEDS

Quantity = Literal["preference", "grade", "benchmark"]


@dataclass(frozen=True, kw_only=True)
class SeedEstimate:
    """One training's value."""

    arm: str
    """The arm itself for the first seed."""
    other: str
    """With whom it was compared; empty of grades and benchmarks."""
    estimate: float


@dataclass(frozen=True, kw_only=True)
class Spread:
    """One quantity of an arm that was trained with several seeds."""

    quantity: Quantity
    arm: str
    subject: str
    """The other arm, the instrument or the task."""
    judge: str
    """Empty of benchmarks."""
    scale: tuple[float, float] | None
    interval: Interval
    """As in the summary: of the first seed over prompts or items; from five seeds on over all."""
    holds_seeds: bool
    """Whether the variance between seeds is in the interval."""
    seeds: list[SeedEstimate]


def spreads(
    again: Mapping[str, str],
    preferences: Iterable[Preference],
    grades: Iterable[GradeSummary],
    tax: Iterable[TaskTax],
    *,
    of_seeds: tuple[Sequence[Preference], Sequence[GradeSummary], Sequence[TaskTax]],
) -> list[Spread]:
    """A row for each number of an arm with several seeds.

    Preferences are wins and half the ties, benchmarks differences from the base.

    Args:
        again: arm → the arm that it is once more, trained with another seed.
        preferences: the summaries, as `grades` and `tax`.
        of_seeds: the same of every seed by itself, the first among them.
    """
    compared, graded, measured = of_seeds
    values: dict[tuple[Quantity, str, str, str], list[SeedEstimate]] = defaultdict(list)
    for p in compared:
        first, second = again.get(p.first, p.first), again.get(p.second, p.second)
        value = SeedEstimate(arm=p.first, other=p.second, estimate=p.adjusted_win.estimate)
        values["preference", first, second, p.judge].append(value)
    for g in graded:
        value = SeedEstimate(arm=g.model, other="", estimate=g.mean.estimate)
        values["grade", again.get(g.model, g.model), g.instrument, g.judge].append(value)
    for t in measured:
        if t.difference is not None and not t.further_format:
            value = SeedEstimate(arm=t.arm, other="", estimate=t.difference.estimate)
            values["benchmark", again.get(t.arm, t.arm), t.task, ""].append(value)

    found = []

    def add(
        key: tuple[Quantity, str, str, str],
        scale: tuple[float, float] | None,
        interval: Interval,
        held: bool,
    ) -> None:
        quantity, arm, subject, judge = key
        if len(values[key]) > 1:
            found.append(
                Spread(
                    quantity=quantity,
                    arm=arm,
                    subject=subject,
                    judge=judge,
                    scale=scale,
                    interval=interval,
                    holds_seeds=held and len(values[key]) >= FEWEST_SEEDS,
                    seeds=values[key],
                )
            )

    for p in preferences:
        add(("preference", p.first, p.second, p.judge), (0, 1), p.adjusted_win, True)
    for g in grades:
        levels = sorted(map(int, g.words))
        scale = (levels[0], levels[-1])
        add(("grade", g.model, g.instrument, g.judge), scale, g.mean, True)
    for t in tax:
        if t.difference is not None and not t.further_format:
            add(("benchmark", t.arm, t.task, ""), t.scale, t.difference, t.over_seeds)
    return found
