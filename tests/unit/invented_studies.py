"""How often intervals of shares and means hold the truth, on invented studies.

`python tests/unit/invented_studies.py` prints the table of docs/statistics.md, in a minute
and a half.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from scipy.stats import binom

from limaflow.intervals import Array, Interval, NotEstimable, Resampling, ratio_of

PROMPTS = (30, 50, 300)
SHARES = (0.02, 0.1, 0.5, 0.98)
STUDIES = 2000
ROUNDS = 500


@dataclass(frozen=True)
class Design:
    """Studies of one kind: what is true, and the parts and wholes of each prompt of one."""

    truth: float
    draw: Callable[[Generator, int], tuple[Array, Array]]


def ours(resampling: Resampling, parts: Array, wholes: Array) -> Interval:
    return resampling.share(parts, wholes)


def bootstrap(resampling: Resampling, parts: Array, wholes: Array) -> Interval:
    """The bootstrap, for comparison; where it has no width, the estimate alone."""
    try:
        return resampling.interval(ratio_of(parts, wholes), len(wholes))
    except NotEstimable:
        estimate = float(parts.sum() / wholes.sum())
        return Interval(estimate, estimate, estimate)


Method = Callable[[Resampling, Array, Array], Interval]


def yes_or_no(
    prompts: int, rounds: int = ROUNDS, method: Method = ours
) -> Callable[[float], float]:
    """Share that is true → exact coverage of the interval of a share of so many prompts."""
    counts = np.arange(prompts + 1)
    ones = np.ones(prompts)
    found = [
        method(resampling(int(count), rounds), (np.arange(prompts) < count) * ones, ones)
        for count in counts
    ]
    low, high = np.array([(f.low, f.high) for f in found]).T

    def coverage(share: float) -> float:
        held = (low <= share) & (share <= high)
        return float(binom.pmf(counts, prompts, share)[held].sum())

    return coverage


def simulated(
    design: Design, prompts: int, studies: int, rounds: int = ROUNDS, method: Method = ours
) -> float:
    """Share of the studies whose interval holds the truth."""
    draw = np.random.default_rng(prompts)
    held = 0
    for study in range(studies):
        found = method(resampling(study, rounds), *design.draw(draw, prompts))
        held += found.low <= design.truth <= found.high
    return held / studies


def resampling(seed: int, rounds: int) -> Resampling:
    return Resampling(rounds=rounds, confidence=0.95, seed=seed)


def _outcomes(win: float, tie: float) -> Design:
    """Wins, ties and losses, a tie counting ½."""

    def draw(generator: Generator, prompts: int) -> tuple[Array, Array]:
        shares = generator.choice([1, 0.5, 0], p=[win, tie, 1 - win - tie], size=prompts)
        return shares, np.ones(prompts)

    return Design(win + tie / 2, draw)


def _readings(alpha: float, beta: float, each: int) -> Design:
    """Several yes-or-no readings a prompt, alike as far as the prompt decides (beta-binomial)."""

    def draw(generator: Generator, prompts: int) -> tuple[Array, Array]:
        chances = generator.beta(alpha, beta, size=prompts)
        return generator.binomial(each, chances) / each, np.ones(prompts)

    return Design(alpha / (alpha + beta), draw)


def _unequal(generator: Generator, prompts: int) -> tuple[Array, Array]:
    """One to five decided verdicts a prompt."""
    wholes = generator.integers(1, 6, size=prompts)
    parts = generator.binomial(wholes, generator.beta(1, 3, size=prompts))
    return parts.astype(float), wholes.astype(float)


def _graded(generator: Generator, prompts: int) -> tuple[Array, Array]:
    return generator.beta(0.2, 1.8, size=prompts), np.ones(prompts)


DESIGNS: Mapping[str, Design] = {
    "wins + ½ ties, half of them ties": _outcomes(0.25, 0.5),
    "wins + ½ ties, nine of ten ties": _outcomes(0.07, 0.9),
    "two orders, each half": _readings(0.5, 1.5, 2),
    "four readings a prompt": _readings(0.3, 0.3, 4),
    "four readings of a rare thing (5 %)": _readings(0.1, 1.9, 4),
    "one to five verdicts a prompt": Design(0.25, _unequal),
    "graded shares, most near 0": Design(0.1, _graded),
}


def main() -> None:
    columns = [(prompts, ours) for prompts in PROMPTS] + [(PROMPTS[0], bootstrap)]
    exact = [yes_or_no(prompts, 4000, method) for prompts, method in columns]
    rows = {f"yes or no, {s:.0%} true": [coverage(s) for coverage in exact] for s in SHARES}
    grid = np.linspace(0.001, 0.999, 999)
    rows["yes or no, mean over all shares"] = [
        float(np.mean([coverage(share) for share in grid])) for coverage in exact
    ]
    for name, design in DESIGNS.items():
        rows[name] = [simulated(design, n, STUDIES, method=method) for n, method in columns]
    heads = [*(f"{prompts} prompts" for prompts in PROMPTS), f"bootstrap, {PROMPTS[0]} prompts"]
    print("| study | " + " | ".join(heads) + " |")
    print("|---|" + "---|" * len(heads))
    for name, found in rows.items():
        print(f"| {name} | " + " | ".join(f"{coverage:.1%}" for coverage in found) + " |")


if __name__ == "__main__":
    main()
