"""How far reviewers agree on what may stay: per cent and Cohen's kappa.

Measured on first decisions, made before the other's are shown, and on those that stand now. Keep
and edit both say that an example stays.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from limaflow.curation.review_decisions import Opinions
from limaflow.measures.agreement_coefficients import cohen_kappa, rated


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """Two reviewers on the examples that both decided."""

    first: str
    second: str
    both: int
    """Number of examples that both decided."""
    either: int
    agreed: float | None
    """Share of `both`, from 0 to 1; None where there are none."""
    kappa: float | None
    """None where chance alone would agree always, as when both keep everything."""
    agreed_now: float | None
    kappa_now: float | None
    counts: dict[str, int]
    """First decisions, as `keep/reject`: number."""

    @property
    def overlap(self) -> float:
        """Share of the examples decided by either that both decided."""
        return self.both / self.either if self.either else 0.0


def agreements(opinions: Opinions) -> list[Agreement]:
    """Every pair of reviewers, by name."""
    return [_agreement(opinions, *pair) for pair in combinations(sorted(opinions.sequence), 2)]


def kappa(pairs: Sequence[tuple[bool, bool]]) -> float | None:
    """Cohen's κ; None where it is not defined."""
    if not pairs:
        return None
    ratings = rated(np.array(pairs, dtype=np.int64), 2)
    value = float(cohen_kappa(ratings)(np.ones((1, len(pairs))))[0])
    return None if np.isnan(value) else value


def _agreement(opinions: Opinions, first: str, second: str) -> Agreement:
    decided = [stacks.keys() & {first, second} for stacks in opinions.history.values()]
    stacks = [s for s in opinions.history.values() if first in s and second in s]
    made = [(s[first][0].decision, s[second][0].decision) for s in stacks]
    stay = [(a != "reject", b != "reject") for a, b in made]
    now = [(s[first][-1].decision != "reject", s[second][-1].decision != "reject") for s in stacks]
    return Agreement(
        first=first,
        second=second,
        both=len(stacks),
        either=sum(bool(names) for names in decided),
        agreed=_share(stay),
        kappa=kappa(stay),
        agreed_now=_share(now),
        kappa_now=kappa(now),
        counts=dict(sorted(Counter(f"{a}/{b}" for a, b in made).items())),
    )


def _share(pairs: list[tuple[bool, bool]]) -> float | None:
    return sum(a == b for a, b in pairs) / len(pairs) if pairs else None
