"""Bootstrap intervals: seeded, bracketing, and as wide as theory says."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from limaflow.intervals import Resampling, bootstrap_mean


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


@pytest.mark.parametrize(
    ("alike", "low", "high"), [(0.0, 0.0, 0.0122), (1.0, 0.9878, 1.0), (0.5, 0.4939, 0.5061)]
)
def test_a_share_of_units_that_are_all_alike_is_not_certain(
    alike: float, low: float, high: float
) -> None:
    resampling = Resampling(rounds=50, confidence=0.95, seed=1)
    found = resampling.share(np.full(300, alike), np.ones(300))
    assert (found.estimate, found.low, found.high) == pytest.approx((alike, low, high), abs=5e-5)
    alone = resampling.share(np.array([3 * alike]), np.array([3.0]))
    assert alone.high - alone.low == pytest.approx(0.975)
