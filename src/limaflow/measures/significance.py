"""Whether a difference may be chance: tests paired by prompt."""

from collections.abc import Callable
from sys import float_info

import numpy as np
from numpy.typing import NDArray

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
    from scipy.stats import binomtest  # as in `intervals`: Snakemake's start needs no test

    won, lost = int((nets > ROUNDING).sum()), int((nets < -ROUNDING).sum())
    if not won + lost:
        return 1.0
    return max(float(binomtest(won, won + lost).pvalue), float_info.min)


def rounded(p_value: float) -> str:
    """A p-value for people: `0.031`, or `<1e-15` where it is smaller than that."""
    return f"<{SMALL:.0e}" if p_value < SMALL else f"{p_value:.2g}"


def loss_test(changes: Array, seed: int) -> float:
    """One-sided p-value that the sum of paired changes is no loss.

    Where all that moved moved as far, the exact test of McNemar 1947 (the sign test, as
    `sign_test`), else the permutation test.

    Args:
        changes: after minus before of each item, times its weight.
    """
    from scipy.stats import binomtest

    moved = changes[np.abs(changes) > ROUNDING * max(1.0, float(np.abs(changes).max(initial=0)))]
    if not len(moved):
        return 1.0
    if np.allclose(np.abs(moved), abs(moved[0])):
        lost = int((moved < 0).sum())
        exact = binomtest(lost, len(moved), alternative="greater").pvalue
        return max(float(exact), float_info.min)
    most = moved.sum() + ROUNDING * np.abs(moved).max()
    return _permuted(moved, seed, lambda sums: sums <= most)


def permutation_test(nets: Array, seed: int) -> float:
    """Two-sided p-value of the mean of `nets` if the two models' names meant nothing.

    Each prompt's outcome is given to the one or the other at random, ROUNDS times; what was
    observed counts as one of the draws (Phipson & Smyth 2010, doi:10.2202/1544-6115.1585), so that
    no p-value lies below 1 / (ROUNDS + 1).
    """
    values = nets[np.abs(nets) > ROUNDING]
    if not len(values):
        return 1.0
    observed = abs(values.sum()) - ROUNDING
    return _permuted(values, seed, lambda sums: np.abs(sums) >= observed)


def _permuted(values: Array, seed: int, extreme: Callable[[Array], NDArray[np.bool_]]) -> float:
    """Share of the draws, what was observed among them, whose sum with random signs is extreme."""
    generator = np.random.default_rng(seed)
    found = 0
    for _ in range(0, ROUNDS, AT_ONCE):
        signs = generator.integers(2, size=(AT_ONCE, len(values)), dtype=np.int8) * 2 - 1
        found += int(extreme(signs @ values).sum())
    return (found + 1) / (ROUNDS + 1)
