"""Whether a difference may be chance: tests paired by prompt."""

from sys import float_info

import numpy as np
from scipy.stats import binomtest

from limaflow.intervals import Array

ROUNDS = 10_000
AT_ONCE = 500
ROUNDING = 1e-9
SMALL = 1e-15
"""A smaller p-value is said to be below it."""


def sign_test(nets: Array) -> float:
    """Two-sided p-value that a prompt is as likely won as lost; tied prompts are left out.

    Exact (Dixon & Mood 1946), but never 0: what is too small for a float is its smallest normal
    value, 2e-308. How far a prompt is won does not count.

    Args:
        nets: share won minus share lost of each prompt.
    """
    won, lost = int((nets > ROUNDING).sum()), int((nets < -ROUNDING).sum())
    if not won + lost:
        return 1.0
    return max(float(binomtest(won, won + lost).pvalue), float_info.min)


def rounded(p_value: float) -> str:
    """A p-value for people: `0.031`, or `<1e-15` where it is smaller than that."""
    return f"<{SMALL:.0e}" if p_value < SMALL else f"{p_value:.2g}"


def permutation_test(nets: Array, seed: int) -> float:
    """Two-sided p-value of the mean of `nets` if the two models' names meant nothing.

    Each prompt's outcome is given to the one or the other at random, ROUNDS times; what was
    observed counts as one of the draws (Phipson & Smyth 2010, doi:10.2202/1544-6115.1585), so that
    no p-value lies below 1 / (ROUNDS + 1).
    """
    values = nets[np.abs(nets) > ROUNDING]
    if not len(values):
        return 1.0
    generator = np.random.default_rng(seed)
    observed = abs(values.sum()) - ROUNDING
    extreme = 0
    for _ in range(0, ROUNDS, AT_ONCE):
        signs = generator.integers(2, size=(AT_ONCE, len(values)), dtype=np.int8) * 2 - 1
        extreme += int((np.abs(signs @ values) >= observed).sum())
    return (extreme + 1) / (ROUNDS + 1)
