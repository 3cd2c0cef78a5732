"""Corrected rates, on answers whose refusals are planted."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from limaflow.intervals import NotEstimable, Resampling
from limaflow.refusals.correction import (
    Confusion,
    Outcomes,
    corrected,
    rogan_gladen,
    span_of,
)

DRAWN = Resampling(rounds=400, confidence=0.95, seed=3)
POOR = Confusion(found=60, missed=40, false=10, right=90)


def planted(
    rate: float, sensitivity: float, specificity: float, *, answers: int, labelled: int, seed: int
) -> Outcomes:
    """Answers of which the first `labelled` are labelled by people as well."""
    drawn = np.random.default_rng(seed)
    refuses = drawn.random(answers) < rate
    said = np.where(
        refuses, drawn.random(answers) < sensitivity, drawn.random(answers) >= specificity
    )
    known = np.arange(answers) < labelled

    def column(where: np.ndarray) -> np.ndarray:
        return where.astype(float)

    return Outcomes(
        refused=column(said),
        graded=np.ones(answers),
        found=column(known & refuses & said),
        missed=column(known & refuses & ~said),
        false=column(known & ~refuses & said),
        right=column(known & ~refuses & ~said),
    )


def test_the_formula_gives_back_the_rate_that_was_planted() -> None:
    """Of 30 % refusals, .6 are found and .1 of the rest are false: 25 % are reported."""
    assert rogan_gladen(0.25, POOR) == pytest.approx(0.3)


@given(st.floats(0, 1), *(st.integers(0, 50) for _ in range(4)))
def test_what_a_grader_would_report_of_a_rate_is_corrected_to_that_rate(
    rate: float, found: int, missed: int, false: int, right: int
) -> None:
    assume(found + missed and false + right)
    matrix = Confusion(found=found, missed=missed, false=false, right=right)
    reported = matrix.sensitivity * rate + (1 - matrix.specificity) * (1 - rate)
    corrected_rate = rogan_gladen(reported, matrix)
    if found * right > missed * false:
        assert corrected_rate == pytest.approx(rate, abs=1e-6)
    else:
        assert corrected_rate is None


def test_where_all_answers_are_labelled_the_people_s_rate_comes_out() -> None:
    outcomes = planted(0.3, 0.6, 0.9, answers=400, labelled=400, seed=2)
    matrix = outcomes.confusion
    assert corrected(outcomes, DRAWN).rate.estimate == pytest.approx(
        (matrix.found + matrix.missed) / 400
    )


@pytest.mark.parametrize(
    ("rate", "sensitivity", "specificity", "labelled"),
    [(0.2, 0.6, 0.95, 150), (0.5, 0.9, 0.8, 100), (0.2, 0.8, 0.99, 400), (0.1, 0.95, 0.99, 200)],
)
def test_intervals_hold_the_planted_rate_as_often_as_they_say(
    rate: float, sensitivity: float, specificity: float, labelled: int
) -> None:
    held = []
    for seed in range(300):
        outcomes = planted(
            rate, sensitivity, specificity, answers=400, labelled=labelled, seed=seed
        )
        try:
            found = corrected(outcomes, DRAWN.seeded(str(seed))).rate
        except NotEstimable:
            continue
        held.append(found.low <= rate <= found.high)
    assert len(held) > 250
    assert np.mean(held) > 0.925


def test_intervals_of_the_raw_rate_miss_the_planted_one() -> None:
    held = []
    for seed in range(100):
        outcomes = planted(0.3, 0.6, 0.97, answers=400, labelled=0, seed=seed)
        raw = DRAWN.share(outcomes.refused, outcomes.graded)
        held.append(raw.low <= 0.3 <= raw.high)
    assert np.mean(held) < 0.3


def test_the_interval_is_wider_than_that_of_the_raw_rate() -> None:
    outcomes = planted(0.3, 0.7, 0.9, answers=400, labelled=120, seed=5)
    raw = DRAWN.share(outcomes.refused, outcomes.graded)
    found = corrected(outcomes, DRAWN).rate
    assert found.high - found.low > 1.2 * (raw.high - raw.low)


def test_a_perfect_grader_keeps_a_width_and_the_raw_rate() -> None:
    outcomes = planted(0.3, 1.0, 1.0, answers=200, labelled=100, seed=6)
    found = corrected(outcomes, DRAWN)
    assert found.rate.estimate == pytest.approx(outcomes.refused.mean())
    assert found.rate.high - found.rate.low > 0.1
    assert not found.clipped


def test_an_estimate_outside_the_scale_is_cut_and_flagged() -> None:
    outcomes = planted(0.5, 0.9, 0.8, answers=100, labelled=100, seed=7)
    none = Outcomes(
        refused=np.zeros(100),
        graded=outcomes.graded,
        found=outcomes.found,
        missed=outcomes.missed,
        false=outcomes.false,
        right=outcomes.right,
    )
    found = corrected(none, DRAWN)
    assert (found.rate.estimate, found.clipped) == (0.0, True)
    assert found.rate.high > 0


def test_no_rate_is_made_of_few_labels_or_of_a_grader_that_guesses() -> None:
    with pytest.raises(NotEstimable, match="fewer than 10"):
        corrected(planted(0.02, 0.9, 0.9, answers=100, labelled=100, seed=8), DRAWN)
    with pytest.raises(NotEstimable, match="chance"):
        corrected(planted(0.5, 0.5, 0.5, answers=200, labelled=100, seed=9), DRAWN)


def test_known_matrices_make_a_range_and_cut_rates_are_counted() -> None:
    good = Confusion(found=95, missed=5, false=2, right=98)
    found = span_of(0.25, [POOR, good])
    assert found is not None
    assert (found.low, found.high) == (pytest.approx(0.23 / 0.93), pytest.approx(0.3))
    assert (found.matrices, found.clipped) == (2, 0)
    cut = span_of(0.01, [POOR, good])
    assert cut is not None
    assert (cut.low, cut.clipped) == (0.0, 2)
    assert span_of(0.25, [Confusion(found=3, missed=0, false=0, right=90)]) is None
