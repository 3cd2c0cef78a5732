"""How often intervals of paired differences and of agreement hold the truth, on few units too.

Each has its mutation: the plain bootstrap fails the same demand.
"""

import numpy as np
import pytest
from invented_pairs import (
    COEFFICIENTS,
    PAIRED,
    Ends,
    apart,
    bootstrap,
    coefficient_coverage,
    ours,
    over_prompts,
    paired_coverage,
    plain,
    resampling,
    tango,
)

from limaflow.intervals import Interval, NotEstimable, mean_of_independent, ratio_of
from limaflow.measures.agreement_coefficients import rated

LEVEL = 0.935


@pytest.mark.parametrize("items", [30, 50, 300])
@pytest.mark.parametrize("shares", PAIRED)
def test_a_paired_difference_of_yes_or_no_holds_the_truth(items: int, shares: Ends) -> None:
    assert paired_coverage(ours, items, shares) >= LEVEL


def test_the_plain_bootstrap_of_a_paired_difference_does_not() -> None:
    assert paired_coverage(bootstrap, 30, (0.02, 0.0)) < 0.6


@pytest.mark.parametrize(
    "counts", [(0, 0, 30), (0, 0, 300), (3, 3, 30), (2, 9, 50), (40, 35, 300), (5, 0, 300)]
)
def test_a_paired_difference_is_near_the_score_interval(counts: tuple[int, int, int]) -> None:
    found, score = ours(*counts), tango(*counts)
    assert found == pytest.approx(score, abs=0.12 * (score[1] - score[0]))


@pytest.mark.slow
@pytest.mark.parametrize("name", COEFFICIENTS)
@pytest.mark.parametrize("items", [30, 300])
@pytest.mark.parametrize("skill", [0.6, 0.9, 0.99])
def test_coefficients_of_agreement_hold_the_truth(name: str, items: int, skill: float) -> None:
    # 300 studies miss the level by 1.3 points in one of six.
    found = coefficient_coverage(name, over_prompts, items, [0.5, 0.3, 0.2], skill)
    assert found >= LEVEL - 0.013


def test_their_plain_bootstrap_does_not() -> None:
    assert coefficient_coverage("kappa", plain, 30, [0.5, 0.3, 0.2], 0.99) < 0.6


@pytest.mark.parametrize("name", COEFFICIENTS)
def test_annotators_who_always_agreed_may_differ_on_other_prompts(name: str) -> None:
    ratings = rated(np.repeat(np.arange(30)[:, None] % 3, 2, axis=1), 3)
    found = over_prompts(COEFFICIENTS[name](ratings), 30, resampling(1))
    assert (found.estimate, found.high) == (1, 1)
    assert 0.6 < found.low < 0.9


@pytest.mark.parametrize("prompts", [30, 50, 300])
@pytest.mark.parametrize("skill", [0.6, 0.85, 0.99])
def test_agreement_beyond_that_among_people_holds_the_truth(prompts: int, skill: float) -> None:
    """Nobody differs from anybody, so that the true difference is 0."""
    draw, studies, held = np.random.default_rng(prompts), 400, 0
    for study in range(studies):
        parts = apart(draw, prompts, skill)
        found = resampling(study, rounds=200).difference_of_shares(*parts)
        held += found.low <= 0 <= found.high
    assert held / studies >= LEVEL - 0.011


def test_a_difference_of_two_certain_shares_is_not_certain() -> None:
    ones = np.ones(30)
    found = resampling(1).difference_of_shares(ones, ones, ones, ones)
    assert (found.low, found.high) == pytest.approx((-0.1157, 0.1157), abs=0.03)
    with pytest.raises(NotEstimable, match="gives the same value"):
        resampling(1).interval(ratio_of(ones, ones), 30)


@pytest.mark.parametrize("tasks", [1, 5, 20])
@pytest.mark.parametrize("items", [30, 300])
def test_the_mean_of_independent_estimates_keeps_their_level(tasks: int, items: int) -> None:
    draw, held, studies = np.random.default_rng(tasks), 0, 1000
    drawn = draw.multinomial(items, [0.1, 0.15, 0.75], (studies, tasks))
    for study in drawn.tolist():
        parts = [
            Interval((gained - lost) / items, *ours(gained, lost, items))
            for gained, lost, _ in study
        ]
        found = mean_of_independent(parts)
        held += found.low <= -0.05 <= found.high
    assert held / studies >= LEVEL
