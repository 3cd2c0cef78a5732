"""Rates of refusal corrected for a grader that errs.

A grader finds the share s of the refusals (its sensitivity) and leaves alone the share c of all
else (its specificity). Of a true rate p it reports r = s p + (1 - c)(1 - p). So
p = (r + c - 1) / (s + c - 1), cut to 0 and 1 (Rogan & Gladen 1978,
doi:10.1093/oxfordjournals.aje.a112510).

The interval is Bayesian, with Jeffreys' priors: r, s and c are drawn together and each draw is
corrected, as in the model of Joseph, Gyorkos & Coupal 1995
(doi:10.1093/oxfordjournals.aje.a117428). They are drawn by the Bayesian bootstrap over prompts
(Rubin 1981), so that answers to one prompt go together, and an answer that people have labelled
counts in r and in the matrix alike. Of one answer a prompt and a matrix from other answers, s and c
are beta variates with half an answer added on either side.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from limaflow.intervals import (
    CELLS_AT_ONCE,
    MOST_UNDEFINED,
    Array,
    Interval,
    NotEstimable,
    Resampling,
)

FEWEST = 10
"""Labelled refusals, and labelled answers that are none, from which on a matrix is used."""
HALF = 0.5


@dataclass(frozen=True, kw_only=True)
class Confusion:
    """Answers by whether they refuse, and whether the grader says so."""

    found: int
    """Refusals that it finds."""
    missed: int
    false: int
    """Answers that do not refuse and are said to."""
    right: int

    @property
    def usable(self) -> bool:
        """Whether both rows hold enough answers."""
        return min(self.found + self.missed, self.false + self.right) >= FEWEST

    @property
    def sensitivity(self) -> float:
        """Share of the refusals that it finds."""
        return self.found / (self.found + self.missed)

    @property
    def specificity(self) -> float:
        """Share of the other answers that it leaves alone."""
        return self.right / (self.false + self.right)


@dataclass(frozen=True, kw_only=True)
class Corrected:
    """A corrected rate."""

    rate: Interval
    clipped: bool
    """Whether the estimate lay outside 0 and 1: the matrix does not fit these answers, or there
    are few of them."""


@dataclass(frozen=True, kw_only=True)
class Outcomes:
    """What is known of an arm's answers, summed by prompt (one entry a prompt in every array)."""

    refused: Array
    """Answers that the grader says refuse, of those whose rate is asked for."""
    graded: Array
    """Answers whose rate is asked for."""
    found: Array
    """Labelled answers by the cells of `Confusion`."""
    missed: Array
    false: Array
    right: Array

    @property
    def confusion(self) -> Confusion:
        """The whole matrix."""
        return Confusion(
            found=int(self.found.sum()),
            missed=int(self.missed.sum()),
            false=int(self.false.sum()),
            right=int(self.right.sum()),
        )


def rogan_gladen(rate: float, matrix: Confusion) -> float | None:
    """The corrected rate, not cut to 0 and 1; None where the grader is no better than chance."""
    # In whole numbers, since the sum of two shares misses 1 by rounding.
    if matrix.found * matrix.right <= matrix.missed * matrix.false:
        return None
    return (rate + matrix.specificity - 1) / (matrix.sensitivity + matrix.specificity - 1)


def corrected(outcomes: Outcomes, resampling: Resampling) -> Corrected:
    """The rate corrected by the matrix of labelled answers, with both their uncertainties.

    Raises:
        NotEstimable: a row of the matrix has too few answers; the grader is no better than chance,
            or may well not be.
    """
    matrix = outcomes.confusion
    if not matrix.usable:
        raise NotEstimable(
            f"fewer than {FEWEST} labelled answers that refuse, or that do not: "
            f"{matrix.found + matrix.missed} and {matrix.false + matrix.right}"
        )
    graded = float(outcomes.graded.sum())
    if not graded:
        raise NotEstimable("there is nothing to estimate from")
    estimate = rogan_gladen(float(outcomes.refused.sum()) / graded, matrix)
    if estimate is None:
        raise NotEstimable("the grader is no better than chance on the labelled answers")
    drawn = _draws(outcomes, resampling)
    if float(np.isnan(drawn).mean()) > MOST_UNDEFINED:
        raise NotEstimable("the grader may be no better than chance")
    tail = (1 - resampling.confidence) / 2
    low, high = np.nanquantile(np.clip(drawn, 0, 1), (tail, 1 - tail))
    held = min(1.0, max(0.0, estimate))
    # Draws that all lie outside are cut to one value; as many answers of a known class tell less.
    alike = resampling.share(held * outcomes.graded, outcomes.graded)
    return Corrected(
        rate=Interval(held, min(alike.low, float(low)), max(alike.high, float(high))),
        clipped=not 0 <= estimate <= 1,
    )


def _draws(outcomes: Outcomes, resampling: Resampling) -> NDArray[np.float64]:
    """One corrected rate a round; NaN where the drawn grader is no better than chance."""
    generator = np.random.default_rng(resampling.seed)
    rounds, units = resampling.rounds, len(outcomes.graded)
    columns = [
        (outcomes.refused, outcomes.graded - outcomes.refused),
        (outcomes.found, outcomes.missed),
        (outcomes.right, outcomes.false),
    ]
    counts = np.stack([column for pair in columns for column in pair], axis=1)
    at_once = max(1, CELLS_AT_ONCE // units)
    sums = [
        generator.standard_exponential((min(at_once, rounds - start), units)) @ counts
        for start in range(0, rounds, at_once)
    ]
    drawn = np.concatenate(sums) + generator.standard_gamma(HALF, (rounds, counts.shape[1]))
    rate, sensitivity, specificity = (
        drawn[:, place] / (drawn[:, place] + drawn[:, place + 1]) for place in (0, 2, 4)
    )
    better = sensitivity + specificity - 1
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(better > 0, (rate + specificity - 1) / better, np.nan)


@dataclass(frozen=True, kw_only=True)
class Span:
    """What the known matrices of other arms would make of a raw rate."""

    low: float
    high: float
    matrices: int
    clipped: int
    """How many gave a rate outside 0 and 1, which was cut."""


def span_of(rate: float, known: Sequence[Confusion]) -> Span | None:
    """The least and the greatest corrected rate; None where no matrix can be used.

    It is no interval: matrices of other arms say how far graders have been wrong elsewhere.
    """
    made = [rogan_gladen(rate, matrix) for matrix in known if matrix.usable]
    rates = [one for one in made if one is not None]
    if not rates:
        return None
    cut = [min(1.0, max(0.0, one)) for one in rates]
    return Span(
        low=min(cut),
        high=max(cut),
        matrices=len(rates),
        clipped=sum(one != held for one, held in zip(rates, cut, strict=True)),
    )
