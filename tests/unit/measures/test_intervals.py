"""Bootstrap intervals: seeded, bracketing, and as wide as theory says."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t

from limaflow.intervals import Interval, NotEstimable, Resampling, mean_of


def bootstrap(values: list[float] | np.ndarray, *, rounds: int = 500, seed: int = 1) -> Interval:
    resampling = Resampling(rounds=rounds, confidence=0.95, seed=seed)
    return resampling.interval(mean_of(np.array(values)), len(values))


@given(st.lists(st.floats(-5, 5), max_size=30))
def test_a_bootstrap_interval_lies_within_the_values_or_is_refused(values: list[float]) -> None:
    try:
        found = bootstrap(values, rounds=100)
    except NotEstimable:
        return
    assert min(values) - 1e-9 <= found.low < found.high <= max(values) + 1e-9


def test_the_same_seed_gives_the_same_interval() -> None:
    values = np.random.default_rng(0).normal(size=50)
    assert bootstrap(values, seed=7) == bootstrap(values, seed=7)


@pytest.mark.parametrize("units", [20, 400])
def test_the_width_is_that_of_students_interval(units: int) -> None:
    values = np.random.default_rng(0).normal(size=units)
    found = bootstrap(values, rounds=10_000)
    expected = 2 * t.ppf(0.975, units - 1) * values.std(ddof=1) / np.sqrt(units)
    assert found.high - found.low == pytest.approx(expected, rel=0.05)


@pytest.mark.parametrize(
    ("values", "why"),
    [([], "nothing to estimate from"), ([2.5], "same value"), ([2.5] * 30, "same value")],
)
def test_no_bootstrap_interval_vanishes(values: list[float], why: str) -> None:
    with pytest.raises(NotEstimable, match=why):
        bootstrap(values)


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
