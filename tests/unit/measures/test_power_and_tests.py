"""Tests paired by prompt, power, and how often intervals hold the truth."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from limaflow.intervals import NotEstimable, Resampling, mean_of, ratio_of
from limaflow.measures.power import detectable, prompts_needed
from limaflow.measures.significance import loss_test, permutation_test, rounded, sign_test

nets = st.lists(st.sampled_from([-1, -0.5, 0, 0.5, 1]), min_size=2, max_size=12).map(np.array)


@given(nets)
@settings(max_examples=15, deadline=None)
def test_the_permutation_test_is_that_of_scipy(values: np.ndarray) -> None:
    theirs = stats.permutation_test(
        (values, np.zeros_like(values)),
        lambda a, b, axis: np.mean(a - b, axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=np.inf,
    ).pvalue
    assert permutation_test(values, seed=1) == pytest.approx(theirs, abs=0.02)


@given(nets)
@settings(max_examples=30, deadline=None)
def test_swapping_the_models_changes_no_p_value(values: np.ndarray) -> None:
    assert sign_test(values) == sign_test(-values)
    assert permutation_test(values, seed=1) == permutation_test(-values, seed=1)


def test_only_wins_are_as_unlikely_as_their_number() -> None:
    assert sign_test(np.ones(8)) == pytest.approx(2 / 2**8)
    assert permutation_test(np.ones(8), seed=1) == pytest.approx(2 / 2**8, abs=0.003)
    assert sign_test(np.zeros(5)) == permutation_test(np.zeros(5), seed=1) == 1.0


def test_no_number_of_wins_makes_chance_impossible() -> None:
    assert 0 < sign_test(np.ones(3000)) < 1e-300
    assert rounded(sign_test(np.ones(3000))) == "<1e-15"
    assert rounded(0.0314) == "0.031"


def test_five_points_without_ties_take_the_textbooks_785_prompts() -> None:
    needed = prompts_needed(0.5, 0.05, confidence=0.95, power=0.8)
    assert needed == 785
    assert detectable(0.5, needed, confidence=0.95, power=0.8) == pytest.approx(0.05, rel=1e-3)


def test_the_prompts_that_power_asks_for_find_the_difference_as_often_as_it_says() -> None:
    draw = np.random.default_rng(0)
    needed = prompts_needed(0.45, 0.1, confidence=0.95, power=0.8)
    shares = draw.choice([0, 0.5, 1], p=[0.3, 0.2, 0.5], size=(2000, needed))
    errors = shares.std(axis=1, ddof=1) / np.sqrt(needed)
    found = np.abs(shares.mean(axis=1) - 0.5) / errors > 1.96
    assert found.mean() == pytest.approx(0.8, abs=0.04)


def test_intervals_over_prompts_hold_the_truth_and_intervals_over_readings_do_not() -> None:
    """Four readings of a prompt that mostly agree: only clusters cover as often as promised."""
    draw = np.random.default_rng(0)
    by_prompt, by_reading = 0, 0
    for trial in range(150):
        chance = draw.beta(0.3, 0.3, size=60)
        readings = (draw.random((60, 4)) < chance[:, None]).astype(float)
        drawn = Resampling(rounds=300, confidence=0.9, seed=trial)
        one = drawn.interval(mean_of(readings.mean(axis=1)), 60)
        other = drawn.interval(mean_of(readings.ravel()), 240)
        by_prompt += one.low <= 0.5 <= one.high
        by_reading += other.low <= 0.5 <= other.high
    assert by_prompt / 150 == pytest.approx(0.9, abs=0.07)
    assert by_reading / 150 < 0.75


@given(st.lists(st.integers(0, 1), min_size=5, max_size=40))
@settings(max_examples=30, deadline=None)
def test_the_interval_of_a_rate_holds_the_rate(values: list[int]) -> None:
    drawn = Resampling(rounds=300, confidence=0.95, seed=1)
    try:
        found = drawn.interval(mean_of(np.array(values, float)), len(values))
    except NotEstimable:
        assert len(set(values)) == 1
        return
    assert found.low <= found.estimate <= found.high


@given(st.integers(0, 40), st.integers(0, 40))
@settings(max_examples=30, deadline=None)
def test_a_loss_of_yes_or_no_items_is_tested_exactly(gained: int, lost: int) -> None:
    changes = np.repeat([1.0, -1.0, 0.0], [gained, lost, 20])
    expected = (
        stats.binomtest(lost, gained + lost, alternative="greater").pvalue if gained + lost else 1
    )
    assert loss_test(changes, seed=1) == pytest.approx(expected)
    assert loss_test(changes / 300, seed=1) == pytest.approx(expected), "weights alike"


def test_a_loss_of_graded_items_is_tested_by_their_signs() -> None:
    changes = np.array([-0.2, -0.5, -0.1, -0.4, -0.3, -0.6, 0.05, 0.0])
    # Of the 2^7 ways to sign them, 2 have a sum as low: all losses, and the one that was seen.
    assert loss_test(changes, seed=1) == pytest.approx(2 / 2**7, abs=0.004)
    assert loss_test(-changes, seed=1) > 0.97
    assert loss_test(np.zeros(5), seed=1) == loss_test(np.array([]), seed=1) == 1


def test_what_was_never_seen_may_still_be_there() -> None:
    """No bootstrap can tell: the bound is that of as many independent draws."""
    none, ones = np.zeros(300), np.ones(300)
    told = Resampling(rounds=50, confidence=0.95, seed=1).share(none, ones)
    exact = stats.binomtest(0, 300).proportion_ci(0.95, "exact")
    assert (told.estimate, told.low, told.high) == (0, 0, pytest.approx(exact.high))
    always = Resampling(rounds=50, confidence=0.95, seed=1).share(ones, ones)
    assert (always.low, always.high) == (pytest.approx(1 - exact.high), 1)


def test_blocks_of_resamples_join_to_the_same_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(0).normal(size=50)
    resampling = Resampling(rounds=100, confidence=0.9, seed=3)
    whole = resampling.interval(mean_of(values), 50)
    monkeypatch.setattr("limaflow.intervals.CELLS_AT_ONCE", 333)
    parts = resampling.interval(mean_of(values), 50)
    assert vars(parts) == pytest.approx(vars(whole))
    assert resampling.interval(ratio_of(values, np.full(50, 2.0)), 50).estimate == pytest.approx(
        whole.estimate / 2
    )
