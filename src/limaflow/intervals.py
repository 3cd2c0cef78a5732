"""Estimates with intervals over independent units (prompts, items).

A statistic is written as a function of the units' weights: all ones give the estimate, the counts
of a resample give one draw of the bootstrap. Readings of one unit share its weight, so that a
resample takes a unit with all its readings or not at all (Field & Welsh 2007, "Bootstrapping
clustered data").

No interval vanishes. A share, a mean on a scale with ends, and a difference of two shares have
intervals that keep a width where all units are alike (`Resampling.share`, `mean`,
`difference_of_shares`). Any other statistic has those of the bootstrap, and none where every
resample gives the same value, since nothing then tells how far the truth may be.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import hypot, sqrt
from statistics import NormalDist, fmean
from typing import Self

import numpy as np
from numpy.typing import NDArray

from limaflow.seeds import seed_for

Array = NDArray[np.float64]
Statistic = Callable[[Array], Array]
"""Weights (rounds × units) → one estimate a round; NaN where a resample has none."""

MOST_UNDEFINED = 0.05
"""Share of resamples without an estimate from which on no interval is given."""
HALF_A_UNIT = 0.5
"""Weight of the observation at the end of a scale."""
CELLS_AT_ONCE = 2_000_000
ROUNDING = 1e-12


@dataclass(frozen=True)
class Interval:
    """A point estimate with the ends of its confidence interval."""

    estimate: float
    low: float
    high: float

    def over(self, span: float) -> "Interval":
        """The same in units of `span`, above 0."""
        return Interval(self.estimate / span, self.low / span, self.high / span)

    def at(self, level: float, *, of: float) -> "Interval":
        """The same at another level of confidence than that it was made `of`.

        Each end's distance from the estimate is taken as so many standard errors, as MOVER does.
        """
        scale = _quantile(level) / _quantile(of)
        return Interval(
            self.estimate,
            self.estimate - scale * (self.estimate - self.low),
            self.estimate + scale * (self.high - self.estimate),
        )


class NotEstimable(Exception):
    """The data do not determine this quantity, or its interval; the message says why."""


class Constant(NotEstimable):
    """Every resample gives the same value, which tells no width."""

    def __init__(self, estimate: float) -> None:
        super().__init__("every resample gives the same value, which tells no width")
        self.estimate = estimate


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
            NotEstimable: there is no estimate, too many resamples have none, or all have the same.
        """
        return self.intervals(lambda weights: statistic(weights)[:, None], units)[0]

    def share(self, parts: Array, wholes: Array) -> Interval:
        """Sum of `parts` over sum of `wholes`, one of each a unit and at most 1 of it."""
        return self._bounded(parts, wholes, 0.0, 1.0)

    def mean(
        self, values: Array, least: float, most: float, weights: Array | None = None
    ) -> Interval:
        """The mean of one value a unit, weighted if so, on a scale from `least` to `most`."""
        wholes = np.ones_like(values) if weights is None else weights
        return self._bounded(values * wholes, wholes, least, most)

    def difference_of_shares(
        self, parts: Array, wholes: Array, other_parts: Array, other_wholes: Array
    ) -> Interval:
        """One share minus another over the same units, each as in `share`.

        The ends are of both shares at once: for the lower one the further observation is at 0 of
        the first and at 1 of the other. They are never narrower than those of units that all were
        as far apart as the closest, or the furthest, of those that have both shares.

        Raises:
            NotEstimable: one of the two has no units.
        """
        if not (wholes.any() and other_wholes.any()):
            raise NotEstimable("there is nothing to estimate from")
        low, high = [], []
        for weights, beyond in self._weights(len(wholes)):
            ends = []
            for part, whole in ((parts, wholes), (other_parts, other_wholes)):
                unseen = beyond * whole.mean()
                sums, sizes = weights @ part, weights @ whole + unseen
                ends.append((sums / sizes, (sums + unseen) / sizes))
            (least, most), (other_least, other_most) = ends
            low.append(least - other_most)
            high.append(most - other_least)
        estimate = float(parts.sum() / wholes.sum() - other_parts.sum() / other_wholes.sum())
        both = (wholes > 0) & (other_wholes > 0)
        apart = parts[both] / wholes[both] - other_parts[both] / other_wholes[both]
        each = apart if len(apart) else np.array([estimate])
        units = wholes[both] if len(apart) else wholes
        return self._ends(estimate, each, units, (-1.0, 1.0), low=low, high=high)

    def _bounded(self, parts: Array, wholes: Array, least: float, most: float) -> Interval:
        """Sum of `parts` over sum of `wholes`, each unit's own ratio from `least` to `most`.

        The Bayesian bootstrap (Rubin 1981) with a further observation at the end of the scale:
        at `most` for the upper end, at `least` for the lower one. With the weight of a whole unit
        that is Gaffke's bound, for yes and no the interval of Clopper & Pearson (Learned-Miller &
        Thomas 2019, arXiv 1905.06208), which covers too often. Half a unit comes nearer to the
        level, as the mid-P interval does. The ends are never narrower than those of units that
        were all like the lowest, or the highest, which are exact: no loss on 30 prompts is up to
        11.6 %. docs/statistics.md shows how often these intervals hold the truth.

        Raises:
            NotEstimable: there are no units, or their wholes are 0.
        """
        counted = wholes > 0
        parts, wholes = parts[counted], wholes[counted]
        if not len(wholes):
            raise NotEstimable("there is nothing to estimate from")
        low, high = [], []
        for weights, beyond in self._weights(len(wholes)):
            unseen = beyond * wholes.mean()
            sums, sizes = weights @ parts, weights @ wholes + unseen
            low.append((sums + unseen * least) / sizes)
            high.append((sums + unseen * most) / sizes)
        estimate = float(parts.sum() / wholes.sum())
        return self._ends(estimate, parts / wholes, wholes, (least, most), low=low, high=high)

    def _ends(
        self,
        estimate: float,
        each: Array,
        wholes: Array,
        scale: tuple[float, float],
        *,
        low: Sequence[Array],
        high: Sequence[Array],
    ) -> Interval:
        """The interval of draws of its ends, kept as wide as that of units that are all alike.

        Args:
            each: the units' own values, from the first to the second end of `scale`.
        """
        least, most = scale
        tail = (1 - self.confidence) / 2
        # Units of unequal wholes are as good as fewer equal ones (Kish 1965, section 8.2).
        alike = tail ** ((wholes**2).sum() / wholes.sum() ** 2)
        lower = np.quantile(np.concatenate(low), tail)
        upper = np.quantile(np.concatenate(high), 1 - tail)
        # Rounding may pass the ends of the scale.
        return Interval(
            estimate=estimate,
            low=float(max(least, min(lower, least + (each.max() - least) * alike))),
            high=float(min(most, max(upper, most - (most - each.min()) * alike))),
        )

    def intervals(self, statistic: Statistic, units: int) -> list[Interval]:
        """Of a statistic with several values (rounds × values), as `interval`.

        The percentiles are those further out that give the mean of a sample Student's interval:
        plain ones are too narrow on few units (Hesterberg 2015, arXiv 1411.5279, section 3.3.2).
        """
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
        low, high = np.nanquantile(drawn, self._expanded_tails(units), axis=0)
        constant = high - low <= ROUNDING * np.maximum(1, np.abs(estimates))
        if constant.any():
            raise Constant(float(estimates[constant][0]))
        return [Interval(*map(float, ends)) for ends in zip(estimates, low, high, strict=True)]

    def _expanded_tails(self, units: int) -> tuple[float, float]:
        # Imported here, since most that import this module need no interval.
        from scipy.special import stdtrit

        if units == 1:
            return 0.0, 1.0
        student = stdtrit(units - 1, (1 - self.confidence) / 2)
        tail = NormalDist().cdf(sqrt(units / (units - 1)) * float(student))
        return tail, 1 - tail

    def _weights(self, units: int) -> Iterator[tuple[Array, Array]]:
        """Weights of each unit and of half a further one in every round, in blocks likewise."""
        generator = np.random.default_rng(self.seed)
        for rounds in self._blocks(units):
            drawn = generator.standard_exponential((rounds, units))
            yield drawn, generator.standard_gamma(HALF_A_UNIT, rounds)

    def _blocks(self, units: int) -> Iterator[int]:
        """Numbers of rounds that bound the memory and sum to all."""
        at_once = max(1, CELLS_AT_ONCE // units)
        for start in range(0, self.rounds, at_once):
            yield min(at_once, self.rounds - start)

    def _resamples(self, units: int) -> Iterator[Array]:
        """Counts of each unit in every resample, in blocks that bound the memory."""
        generator = np.random.default_rng(self.seed)
        for rounds in self._blocks(units):
            drawn = generator.integers(units, size=(rounds, units))
            drawn += units * np.arange(rounds)[:, None]
            counts = np.bincount(drawn.ravel(), minlength=rounds * units)
            yield counts.reshape(rounds, units).astype(np.float64)


def difference_of_independent(first: Interval, second: Interval) -> Interval:
    """One of two independent estimates minus the other, at their own level (MOVER, as below)."""
    estimate = first.estimate - second.estimate
    return Interval(
        estimate,
        estimate - hypot(first.estimate - first.low, second.high - second.estimate),
        estimate + hypot(first.high - first.estimate, second.estimate - second.low),
    )


def mean_of_independent(parts: Sequence[Interval]) -> Interval:
    """The plain mean of independent estimates, at their own level of confidence.

    Each end's distance from its estimate is that of a standard error recovered from it, and the
    squares of these add (MOVER: Zou & Donner 2008, doi:10.1002/sim.3095). So the mean keeps a width
    where its parts do, and their skew.

    Raises:
        ValueError: `parts` is empty.
    """
    if not parts:
        raise ValueError("no estimates to take a mean of")
    estimate = fmean(part.estimate for part in parts)
    return Interval(
        estimate,
        estimate - hypot(*(part.estimate - part.low for part in parts)) / len(parts),
        estimate + hypot(*(part.high - part.estimate for part in parts)) / len(parts),
    )


def _quantile(level: float) -> float:
    """Standard errors on either side of a normal estimate's interval."""
    return NormalDist().inv_cdf((1 + level) / 2)


def mean_of(values: Array) -> Statistic:
    """The mean of one value a unit."""
    return ratio_of(values, np.ones_like(values))


def ratio_of(parts: Array, wholes: Array) -> Statistic:
    """Sum of `parts` over sum of `wholes`, both one value a unit."""

    def statistic(weights: Array) -> Array:
        ratio: Array = (weights @ parts) / (weights @ wholes)
        return ratio

    return statistic
