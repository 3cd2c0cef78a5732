"""Both prompts and seeds are draws; an interval over prompts alone forgets the seeds."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy.stats import norm

from limaflow.intervals import Array, Interval, Resampling
from limaflow.measures.training_seeds import mean_over_prompts_and_seeds

STUDIES = 1000
Method = Callable[[Resampling, Array], Interval]


def over_both(resampling: Resampling, values: Array) -> Interval:
    return mean_over_prompts_and_seeds(values, 0, 1, resampling)


def over_prompts(resampling: Resampling, values: Array) -> Interval:
    return resampling.mean(values.mean(axis=1), 0, 1)


def coverage(
    method: Method, *, seeds: int, prompts: int, between_seeds: float, yes_or_no: bool
) -> float:
    """Share of studies whose interval holds the mean over all prompts and seeds.

    A prompt, a seed and the two together each move the probit of a win.
    """
    draw = np.random.default_rng(seeds * prompts)
    truth = norm.cdf(0.3 / np.sqrt(2 + between_seeds**2 + (not yes_or_no)))
    held = 0
    for study in range(STUDIES):
        chances = norm.cdf(
            0.3
            + draw.normal(size=(prompts, 1))
            + between_seeds * draw.normal(size=(1, seeds))
            + draw.normal(size=(prompts, seeds)) * (not yes_or_no)
        )
        values = (draw.random(chances.shape) < chances) * 1.0 if yes_or_no else chances
        found = method(Resampling(rounds=300, confidence=0.95, seed=study), values)
        held += found.low <= truth <= found.high
    return held / STUDIES


@pytest.mark.parametrize("yes_or_no", [True, False])
@pytest.mark.parametrize("between_seeds", [0.0, 0.1, 0.3, 1.0])
def test_five_seeds_and_100_prompts_hold_the_mean_of_all_as_often_as_they_say(
    between_seeds: float, yes_or_no: bool
) -> None:
    found = coverage(
        over_both, seeds=5, prompts=100, between_seeds=between_seeds, yes_or_no=yes_or_no
    )
    assert 0.935 <= found <= 0.975


def test_an_interval_over_prompts_alone_does_not() -> None:
    found = coverage(over_prompts, seeds=5, prompts=100, between_seeds=0.3, yes_or_no=True)
    assert found < 0.85


def test_seeds_that_all_do_alike_leave_the_interval_over_prompts() -> None:
    values = np.repeat(np.random.default_rng(0).random((40, 1)), 5, axis=1)
    resampling = Resampling(rounds=300, confidence=0.95, seed=1)
    both, alone = over_both(resampling, values), over_prompts(resampling, values)
    assert vars(both) == pytest.approx(vars(alone))


def test_failed_grades_leave_out_no_other() -> None:
    values = np.random.default_rng(0).random((40, 5))
    values[0], values[1, 2], values[2, :4] = np.nan, np.nan, np.nan
    resampling = Resampling(rounds=300, confidence=0.95, seed=1)
    found = over_both(resampling, values)
    assert found.estimate == pytest.approx(np.nanmean(values[1:], axis=1).mean())
    with pytest.raises(ValueError, match="two seeds or more"):
        over_both(resampling, values[:, :1])
