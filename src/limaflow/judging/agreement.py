"""Who agrees with whom: people with people, people with models, a judge with itself.

Items of one prompt are resampled together.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from limaflow.errors import InputError
from limaflow.intervals import Array, Interval, NotEstimable, Resampling, Statistic, ratio_of
from limaflow.judging.readings import (
    CATEGORIES,
    MISSING,
    TIE,
    Item,
    Orders,
    Shares,
    merged,
    readings_of,
)
from limaflow.records import Verdict
from limaflow.statistics.agreement import (
    between,
    cohen_kappa,
    fleiss_kappa,
    krippendorff_alpha,
    tie_discount,
    within,
)
from limaflow.summaries import Agreement, Merge, Relation

MOST_PAIRS = 50
"""Pairs of annotators told one by one; of more, the groups tell."""
ANY, SAME = np.ones((CATEGORIES, CATEGORIES)), np.eye(CATEGORIES)
DISCOUNTED = tie_discount(CATEGORIES, TIE)
NO_TIE = np.arange(CATEGORIES) != TIE
DECIDED = np.outer(NO_TIE, NO_TIE).astype(np.float64)


def agreements(
    files: Sequence[Sequence[Verdict]],
    groups: Mapping[str, Sequence[str]],
    resampling: Resampling,
    rule: Merge = "strict",
) -> list[Agreement]:
    """Every pair of annotators, every group and pair of groups, and every judge with itself.

    Args:
        files: verdicts of each file. What an annotator says again in another file is another pass.
        groups: name → annotators, such as crowd, authors, models; `expert_*` is all of such names.
        rule: how the two orders of an item become one rating.

    Raises:
        InputError: a file holds one verdict twice, or a group names an unknown annotator.
    """
    readings = readings_of(files)
    members = {name: _members(told, readings) for name, told in groups.items()}
    first_passes = {name: merged(passes[0], rule) for name, passes in readings.items()}
    ratings = _shared(first_passes)
    found = []
    pairs = ratings.pairs()
    if len(pairs) <= MOST_PAIRS:
        found += [_agreement("pair", pair, ratings.of(pair), None, resampling) for pair in pairs]
    parts = {name: ratings.of(told) for name, told in members.items()}
    for name, part in parts.items():
        if part.compared(None).any():
            found.append(_agreement("within", (name, name), part, None, resampling))
    for (one, ours), (other, theirs) in combinations(parts.items(), 2):
        if ours.compared(theirs).any():
            row = _agreement("between", (one, other), ours, theirs, resampling)
            found.append(replace(row, minus_first=_difference(ours, theirs, resampling)))
    for name in sorted(readings):
        found += _with_itself(name, readings[name], resampling, rule)
    return found


def _members(told: Iterable[str], known: Collection[str]) -> list[str]:
    found: set[str] = set()
    for pattern in told:
        exact = pattern in known
        matching = {pattern} if exact else {name for name in known if fnmatchcase(name, pattern)}
        if not matching:
            raise InputError(
                f"no verdicts of '{pattern}'", fix=f"annotators are {', '.join(sorted(known))}"
            )
        found |= matching
    return sorted(found)


def default_groups(verdicts: Iterable[Verdict]) -> dict[str, list[str]]:
    """Models are annotators whose verdicts tell which model answered; the others are people."""
    models: dict[str, bool] = defaultdict(bool)
    for verdict in verdicts:
        models[verdict.annotator] |= bool(verdict.answered_by)
    groups = {
        "people": [name for name in models if not models[name]],
        "models": [name for name in models if models[name]],
    }
    return {name: members for name, members in groups.items() if members}


def _with_itself(
    name: str, passes: Sequence[Mapping[Item, Orders]], resampling: Resampling, rule: Merge
) -> list[Agreement]:
    both = {i: o for i, o in passes[0].items() if len(o) == 2 and MISSING not in o.values()}
    ahead = {item: {item[2]: orders[item[2]]} for item, orders in both.items()}
    behind = {item: {item[3]: orders[item[3]]} for item, orders in both.items()}
    kinds: list[tuple[Relation, Sequence[Mapping[Item, Orders]]]] = [
        ("orders", [ahead, behind]),
        ("passes", passes),
    ]
    found = []
    for relation, readings in kinds:
        ratings = _shared({str(n): merged(items, rule) for n, items in enumerate(readings)})
        if len(ratings.prompts):
            found.append(_agreement(relation, (name, name), ratings, None, resampling))
    return found


@dataclass(frozen=True, kw_only=True)
class Ratings:
    """What some annotators say of the items that two annotators or more judged."""

    prompts: NDArray[np.str_]
    """Of each item."""
    annotators: list[str]
    shares: Array
    """Items × annotators × categories."""

    def of(self, annotators: Iterable[str]) -> "Ratings":
        """What these say, as far as they have said anything of these items."""
        wanted = set(annotators)
        kept = [n for n, name in enumerate(self.annotators) if name in wanted]
        names = [self.annotators[n] for n in kept]
        return replace(self, annotators=names, shares=self.shares[:, kept])

    def pairs(self) -> list[tuple[str, str]]:
        """The annotators that have an item in common."""
        judged = self.shares.sum(axis=2)
        common = np.argwhere(np.triu(judged.T @ judged, k=1) > 0)
        return [(self.annotators[a], self.annotators[b]) for a, b in common]

    def scored(self, others: "Ratings | None", score: Array) -> Array:
        """Of each item: the scores of all pairs, among these or with the `others`, summed."""
        if others is None:
            return within(self.shares, score)
        # Nobody is compared with themselves where groups overlap.
        common = self.of(others.annotators).shares
        own = ((common @ score) * common).sum(axis=(1, 2))
        return np.asarray(between(self.shares, others.shares, score) - own)

    def compared(self, others: "Ratings | None") -> Array:
        """Of each item: the number of pairs."""
        return self.scored(others, ANY).round()


def _shared(raters: Mapping[str, Mapping[Item, Shares]]) -> Ratings:
    """The items that more than one of these annotators judged."""
    judged = Counter(item for told in raters.values() for item in told)
    items = sorted(item for item, times in judged.items() if times > 1)
    place = {item: n for n, item in enumerate(items)}
    names = sorted(name for name, told in raters.items() if told.keys() & place.keys())
    shares = np.zeros((len(items), len(names), CATEGORIES))
    for number, name in enumerate(names):
        for item, rating in raters[name].items():
            if item in place:
                shares[place[item], number] = rating
    prompts = np.array([item[0] for item in items], dtype=np.str_)
    return Ratings(prompts=prompts, annotators=names, shares=shares)


def _agreement(
    relation: Relation,
    between: tuple[str, str],
    ratings: Ratings,
    others: Ratings | None,
    resampling: Resampling,
) -> Agreement:
    """The choices on the items that two of these judged, or one of these and one of the others."""
    kept = ratings.compared(others) > 0
    shares = ratings.shares[kept]
    prompts, clusters = np.unique(ratings.prompts[kept], return_inverse=True)
    drawn = resampling.seeded("agreement")
    compared, agreed, discounted, decided, both = (
        _summed(clusters, ratings.scored(others, score)[kept])
        for score in (ANY, SAME, DISCOUNTED, DECIDED, DECIDED * SAME)
    )

    def optional(interval: Callable[[], Interval]) -> Interval | None:
        try:
            return interval()
        except NotEstimable:
            return None

    def of_items(statistic: Statistic) -> Interval | None:
        return optional(
            lambda: drawn.interval(lambda weights: statistic(weights[:, clusters]), len(prompts))
        )

    one_crowd = others is None
    everyone = {*ratings.annotators, *(others.annotators if others else ())}
    each = shares.sum(axis=(1, 2)).round()
    even = len(everyone) > 2 and each.min() == each.max()
    first, second = between
    return Agreement(
        relation=relation,
        first=first,
        second=second,
        annotators=len(everyone),
        items=int(kept.sum()),
        prompts=len(prompts),
        agreement=drawn.share(agreed, compared),
        tie_discounted=drawn.share(discounted, compared),
        without_ties=optional(lambda: drawn.share(both, decided)),
        cohen=of_items(cohen_kappa(shares)) if one_crowd and len(everyone) == 2 else None,
        fleiss=of_items(fleiss_kappa(shares)) if one_crowd and even else None,
        alpha=of_items(krippendorff_alpha(shares)) if one_crowd else None,
    )


def _difference(ours: Ratings, theirs: Ratings, resampling: Resampling) -> Interval | None:
    """Tie-discounted accuracy across the groups minus that among `ours`, over the same prompts."""
    prompts, clusters = np.unique(ours.prompts, return_inverse=True)
    across, among = (
        ratio_of(*(_summed(clusters, ours.scored(others, s)) for s in (DISCOUNTED, ANY)))
        for others in (theirs, None)
    )
    try:
        return resampling.seeded("agreement").interval(
            lambda weights: across(weights) - among(weights), len(prompts)
        )
    except NotEstimable:
        return None


def _summed(clusters: NDArray[np.int64], values: Array) -> Array:
    """Sum of each cluster's values."""
    return np.bincount(clusters, weights=values).astype(np.float64)
