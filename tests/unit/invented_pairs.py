"""How often intervals of paired differences, of agreement and over seeds hold the truth.

`python tests/unit/invented_pairs.py` prints the tables of docs/statistics.md, in two minutes.
"""

from collections.abc import Callable
from functools import cache

import numpy as np
from scipy.optimize import brentq
from scipy.stats import norm

from limaflow.intervals import Array, Interval, NotEstimable, Resampling, mean_of
from limaflow.measures.agreement_coefficients import (
    Coefficient,
    cohen_kappa,
    krippendorff_alpha,
    quadratic,
    rated,
)

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


def apart(draw: np.random.Generator, prompts: int, skill: float) -> list[Array]:
    """Agreement of people with a model, and among three people, of one to three items a prompt."""
    items = draw.integers(1, 4, size=prompts)
    right = draw.random((prompts, 4)) < skill * draw.beta(8, 1, size=(prompts, 1)) / (8 / 9)
    people, model = right[:, :3], right[:, 3:]
    across = (people == model).sum(axis=1) / 3.0
    among = sum((people[:, a] == people[:, b]) * 1.0 for a, b in ((0, 1), (0, 2), (1, 2))) / 3.0
    return [across * items, items * 1.0, among * items, items * 1.0]


def main() -> None:
    sizes = (30, 50, 300)
    methods = [*((ours, n) for n in sizes), *((tango, n) for n in sizes), (bootstrap, 30)]
    print("| gained, lost | ours: 30 | 50 | 300 | Tango: 30 | 50 | 300 | bootstrap: 30 |")
    print("|---|" + "---|" * len(methods))
    for gain, loss in PAIRED:
        cells = [f"{paired_coverage(way, n, (gain, loss)):.1%}" for way, n in methods]
        print(f"| {gain:.1%}, {loss:.1%} | " + " | ".join(cells) + " |")
    print("\n| coefficient, skill | ours: 30 | 50 | 300 | bootstrap: 30 | 50 | 300 |")
    print("|---|---|---|---|---|---|---|")
    for name in COEFFICIENTS:
        for skill in (0.6, 0.9, 0.99):
            cells = [
                f"{coefficient_coverage(name, way, n, [0.5, 0.3, 0.2], skill):.1%}"
                for way in (over_prompts, plain)
                for n in sizes
            ]
            print(f"| {name}, {skill:.0%} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
