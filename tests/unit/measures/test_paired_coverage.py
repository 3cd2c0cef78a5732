"""How often intervals of paired differences and of agreement hold the truth, on few units too.

Each has its mutation: the plain bootstrap fails the same demand.
"""

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import norm

from limaflow.intervals import (
    Array,
    Interval,
    NotEstimable,
    Resampling,
    mean_of,
    mean_of_independent,
    ratio_of,
)
from limaflow.measures.agreement_coefficients import (
    Coefficient,
    cohen_kappa,
    krippendorff_alpha,
    quadratic,
    rated,
)

LEVEL = 0.935
PAIRED = [
    *((0.0, 0.0), (0.01, 0.01), (0.02, 0.0), (0.05, 0.02), (0.125, 0.125)),
    *((0.2, 0.05), (0.02, 0.3), (0.49, 0.49)),
]
"""Shares of items gained and lost."""
STUDIES = 4000
Ends = tuple[float, float]


def resampling(seed: int, rounds: int = 400) -> Resampling:
    return Resampling(rounds=rounds, confidence=0.95, seed=seed)


def changes(gained: int, lost: int, items: int) -> Array:
    return np.repeat([1.0, -1.0, 0.0], [gained, lost, items - gained - lost])


@cache
def ours(gained: int, lost: int, items: int) -> Ends:
    found = resampling(gained).mean(changes(gained, lost, items), -1, 1)
    return found.low, found.high


@cache
def bootstrap(gained: int, lost: int, items: int) -> Ends:
    try:
        found = resampling(gained).interval(mean_of(changes(gained, lost, items)), items)
    except NotEstimable:
        return 0.0, 0.0
    return found.low, found.high


@cache
def tango(gained: int, lost: int, items: int) -> Ends:
    """The score interval of Tango 1998 (doi:10.1002/(SICI)1097-0258(19980430)17:8<891), by hand."""
    quantile = norm.ppf(0.975)

    def score(difference: float) -> float:
        linear = (2 * items - gained + lost) * difference - gained - lost
        constant = -lost * difference * (1 - difference)
        lost_share = (np.sqrt(linear**2 - 8 * items * constant) - linear) / (4 * items)
        spread = items * (2 * lost_share + difference * (1 - difference))
        return float((gained - lost - items * difference) / np.sqrt(max(spread, 1e-12)))

    estimate = (gained - lost) / items
    ends = []
    for end, sign in ((-1.0, 1), (1.0, -1)):
        outside = estimate == end
        ends.append(
            end if outside else brentq(lambda d, s=sign: score(d) - s * quantile, end, estimate)
        )
    return ends[0], ends[1]


def paired_coverage(method: Callable[[int, int, int], Ends], items: int, shares: Ends) -> float:
    gain, loss = shares
    drawn = np.random.default_rng(items).multinomial(items, [gain, loss, 1 - gain - loss], STUDIES)
    outcomes, times = np.unique(drawn[:, :2], axis=0, return_counts=True)
    held = 0
    for (gained, lost), count in zip(outcomes.tolist(), times.tolist(), strict=True):
        low, high = method(gained, lost, items)
        held += count * (low <= gain - loss <= high)
    return held / STUDIES


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


def choices(
    draw: np.random.Generator, items: int, skill: tuple[float, ...], shares: list[float]
) -> Array:
    """Ratings of annotators who see what is true with chance `skill`, and guess otherwise."""
    truth = draw.choice(3, p=shares, size=items)
    seen = [
        np.where(draw.random(items) < one, truth, draw.choice(3, p=shares, size=items))
        for one in skill
    ]
    return rated(np.array(seen).T, 3)


COEFFICIENTS: dict[str, Callable[[Array], Coefficient]] = {
    "kappa": cohen_kappa,
    "weighted kappa": lambda ratings: cohen_kappa(ratings, quadratic(3)),
    "alpha": krippendorff_alpha,
    "ordinal alpha": lambda ratings: krippendorff_alpha(ratings, ordinal=True),
}
Way = Callable[[Coefficient, int, Resampling], Interval]


def over_prompts(coefficient: Coefficient, items: int, drawn: Resampling) -> Interval:
    return coefficient.interval(np.arange(items), drawn)


def plain(coefficient: Coefficient, items: int, drawn: Resampling) -> Interval:
    try:
        return drawn.interval(coefficient, items)
    except NotEstimable:
        return Interval(1, 1, 1)


def coefficient_coverage(
    name: str, way: Way, items: int, shares: list[float], skill: float
) -> float:
    make, studies = COEFFICIENTS[name], 300
    many = 100_000
    large = choices(np.random.default_rng(0), many, (skill, skill), shares)
    truth = float(make(large)(np.ones((1, many)))[0])
    draw, told, held = np.random.default_rng(items), 0, 0
    for study in range(studies):
        coefficient = make(choices(draw, items, (skill, skill), shares))
        try:
            found = way(coefficient, items, resampling(study, rounds=200))
        except NotEstimable:
            continue
        told, held = told + 1, held + (found.low <= truth <= found.high)
    return held / told if told else 0.0


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


def apart(draw: np.random.Generator, prompts: int, skill: float) -> list[Array]:
    """Agreement of people with a model, and among three people, of one to three items a prompt."""
    items = draw.integers(1, 4, size=prompts)
    right = draw.random((prompts, 4)) < skill * draw.beta(8, 1, size=(prompts, 1)) / (8 / 9)
    people, model = right[:, :3], right[:, 3:]
    across = (people == model).sum(axis=1) / 3.0
    among = sum((people[:, a] == people[:, b]) * 1.0 for a, b in ((0, 1), (0, 2), (1, 2))) / 3.0
    return [across * items, items * 1.0, among * items, items * 1.0]


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
