"""Estimates with bootstrap intervals over independent units (prompts, items).

A statistic is written as a function of the units' weights: all ones give the estimate, the counts
of a resample give one draw of the bootstrap. Readings of one unit share its weight, so that a
resample takes a unit with all its readings or not at all (Field & Welsh 2007, "Bootstrapping
clustered data").
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from limaflow.seeds import seed_for

Array = NDArray[np.float64]
Statistic = Callable[[Array], Array]
"""Weights (rounds × units) → one estimate a round; NaN where a resample has none."""

MOST_UNDEFINED = 0.05
"""Share of resamples without an estimate from which on no interval is given."""
ROUNDING = 1e-9
CELLS_AT_ONCE = 2_000_000


@dataclass(frozen=True)
class Interval:
    """A point estimate with the ends of its confidence interval."""

    estimate: float
    low: float
    high: float


class NotEstimable(Exception):
    """The data do not determine this quantity, or its interval; the message says why."""


@dataclass(frozen=True, kw_only=True)
class Resampling:
    """How intervals are made: rounds of the bootstrap, level of confidence, seed."""

    rounds: int
    confidence: float
    seed: int

    def seeded(self, *ids: str) -> Self:
        """The same with a seed of its own; equal `ids` draw equal resamples."""
        return replace(self, seed=seed_for(self.seed, "bootstrap", *ids))

    def interval(self, statistic: Statistic, units: int) -> Interval:
        """The statistic on all `units` with the percentile interval of its resamples.

        Raises:
            NotEstimable: there is no estimate, or too many resamples have none.
        """
        return self.intervals(lambda weights: statistic(weights)[:, None], units)[0]

    def share(self, parts: Array, wholes: Array) -> Interval:
        """Sum of `parts` over sum of `wholes`, one of each a unit and at most 1 of it.

        As `interval`, but where all units are alike no resample differs, which is no certainty.
        As many independent draws leave room for a share of unlike ones (Clopper & Pearson 1934,
        doi:10.1093/biomet/26.4.404, for none of them), which may hold nothing, or all.
        """
        found = self.interval(ratio_of(parts, wholes), len(wholes))
        if found.high - found.low > ROUNDING:
            return found
        unlike = 1 - ((1 - self.confidence) / 2) ** (1 / int(np.count_nonzero(wholes)))
        low = found.estimate * (1 - unlike)
        return Interval(found.estimate, low, low + unlike)

    def intervals(self, statistic: Statistic, units: int) -> list[Interval]:
        """Of a statistic with several values (rounds × values), as `interval`."""
        if not units:
            raise NotEstimable("there is nothing to estimate from")
        with np.errstate(divide="ignore", invalid="ignore"):
            estimates = statistic(np.ones((1, units)))[0]
            drawn = np.concatenate([statistic(weights) for weights in self._resamples(units)])
        undefined = float(np.isnan(drawn).any(axis=1).mean())
        if np.isnan(estimates).any():
            raise NotEstimable("the data determine no value")
        if undefined > MOST_UNDEFINED:
            raise NotEstimable(f"{undefined:.0%} of the resamples determine no value")
        tail = (1 - self.confidence) / 2
        low, high = np.nanquantile(drawn, [tail, 1 - tail], axis=0)
        return [Interval(*map(float, ends)) for ends in zip(estimates, low, high, strict=True)]

    def _resamples(self, units: int) -> Iterator[Array]:
        """Counts of each unit in every resample, in blocks that bound the memory."""
        generator = np.random.default_rng(self.seed)
        at_once = max(1, CELLS_AT_ONCE // units)
        for start in range(0, self.rounds, at_once):
            rounds = min(at_once, self.rounds - start)
            drawn = generator.integers(units, size=(rounds, units))
            drawn += units * np.arange(rounds)[:, None]
            counts = np.bincount(drawn.ravel(), minlength=rounds * units)
            yield counts.reshape(rounds, units).astype(np.float64)


def mean_of(values: Array) -> Statistic:
    """The mean of one value a unit."""
    return ratio_of(values, np.ones_like(values))


def ratio_of(parts: Array, wholes: Array) -> Statistic:
    """Sum of `parts` over sum of `wholes`, both one value a unit."""

    def statistic(weights: Array) -> Array:
        ratio: Array = (weights @ parts) / (weights @ wholes)
        return ratio

    return statistic


def bootstrap_mean(values: Array, *, rounds: int, confidence: float, seed: int) -> Interval:
    """Mean of `values` (one per independent unit) with a percentile bootstrap interval.

    Average the several readings of one unit first (Efron & Tibshirani 1993, ch. 13).

    Raises:
        ValueError: `values` is empty.
    """
    if not len(values):
        raise ValueError("no values to estimate a mean from")
    resampling = Resampling(rounds=rounds, confidence=confidence, seed=seed)
    return resampling.interval(mean_of(values), len(values))
