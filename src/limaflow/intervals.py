"""Estimates with bootstrap intervals over independent units (prompts, items)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Interval:
    """A point estimate with the ends of its confidence interval."""

    estimate: float
    low: float
    high: float


def bootstrap_mean(
    values: NDArray[np.float64], *, rounds: int, confidence: float, seed: int
) -> Interval:
    """Mean of `values` (one per independent unit) with a percentile bootstrap interval.

    Resample units, not the several readings of one unit: average those first
    (Efron & Tibshirani 1993, ch. 13; clustered resampling: Field & Welsh 2007).

    Raises:
        ValueError: `values` is empty.
    """
    if not len(values):
        raise ValueError("no values to estimate a mean from")
    generator = np.random.default_rng(seed)
    means = np.array([generator.choice(values, len(values)).mean() for _ in range(rounds)])
    tail = (1 - confidence) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return Interval(float(values.mean()), float(low), float(high))
