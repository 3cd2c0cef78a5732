"""Bootstrap intervals: seeded, bracketing, and as wide as theory says."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from limaflow.intervals import bootstrap_mean


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=30))
def test_the_interval_lies_within_the_values(values: list[float]) -> None:
    found = bootstrap_mean(np.array(values), rounds=100, confidence=0.95, seed=1)
    assert min(values) - 1e-9 <= found.low <= found.high <= max(values) + 1e-9


def test_the_same_seed_gives_the_same_interval() -> None:
    values = np.random.default_rng(0).normal(size=50)
    first, second = (bootstrap_mean(values, rounds=500, confidence=0.9, seed=7) for _ in range(2))
    assert first == second


def test_the_width_agrees_with_the_normal_approximation() -> None:
    values = np.random.default_rng(0).normal(size=400)
    found = bootstrap_mean(values, rounds=4000, confidence=0.95, seed=3)
    expected = 2 * 1.96 * values.std() / np.sqrt(len(values))
    assert found.high - found.low == pytest.approx(expected, rel=0.08)


def test_nothing_has_no_mean() -> None:
    with pytest.raises(ValueError, match="no values"):
        bootstrap_mean(np.array([]), rounds=100, confidence=0.95, seed=1)
