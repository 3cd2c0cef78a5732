"""Who agrees with whom: people with people, people with models, a judge with itself.

Items of one prompt are resampled together.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, product

import numpy as np

from limaflow.errors import InputError
from limaflow.intervals import Array, Interval, NotEstimable, Resampling, Statistic, ratio_of
from limaflow.judging.readings import MISSING, TIE, Item, Orders, merged, readings_of
from limaflow.records import Verdict
from limaflow.statistics.agreement import (
    Codes,
    cohen_kappa,
    fleiss_kappa,
    krippendorff_alpha,
    rating_counts,
    tie_discounted,
)
from limaflow.summaries import Agreement, Relation

CATEGORIES = 3
MOST_PAIRS = 50
"""Pairs of annotators told one by one; of more, the groups tell."""


def agreements(
    files: Sequence[Sequence[Verdict]],
    groups: Mapping[str, Sequence[str]],
    resampling: Resampling,
) -> list[Agreement]:
    """Every pair of annotators, every group and pair of groups, and every judge with itself.

    Args:
        files: verdicts of each file. What an annotator says again in another file is another pass.
        groups: name → annotators, such as crowd, authors, models.

    Raises:
        InputError: a file holds one verdict twice, or a group names an unknown annotator.
    """
    readings = readings_of(files)
    unknown = sorted({a for members in groups.values() for a in members} - readings.keys())
    if unknown:
        raise InputError(
            f"no verdicts of '{unknown[0]}'", fix=f"annotators are {', '.join(sorted(readings))}"
        )
    named = sorted(readings)
    ratings = _ratings([merged(readings[name][0]) for name in named])
    pairs = [pair for pair in combinations(range(len(named)), 2) if _shared(ratings, [pair])]
    found = []
    if len(pairs) <= MOST_PAIRS:
        found += [
            _agreement("pair", (named[a], named[b]), ratings, [(a, b)], resampling)
            for a, b in pairs
        ]
    places = {group: sorted({named.index(m) for m in groups[group]}) for group in groups}
    for group, members in places.items():
        within = list(combinations(members, 2))
        if _shared(ratings, within):
            found.append(_agreement("within", (group, group), ratings, within, resampling))
    for one, other in combinations(groups, 2):
        across = [(a, b) for a, b in product(places[one], places[other]) if a != b]
        if _shared(ratings, across):
            row = _agreement("between", (one, other), ratings, across, resampling)
            own = list(combinations(places[one], 2))
            found.append(replace(row, minus_first=_difference(ratings, across, own, resampling)))
    for name in named:
        found += _with_itself(name, readings[name], resampling)
    return found


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
    name: str, passes: Sequence[Mapping[Item, Orders]], resampling: Resampling
) -> list[Agreement]:
    both = {i: o for i, o in passes[0].items() if len(o) == 2 and MISSING not in o.values()}
    ahead = {item: orders[item[2]] for item, orders in both.items()}
    behind = {item: orders[item[3]] for item, orders in both.items()}
    pairs = list(combinations(range(len(passes)), 2))
    kinds: list[tuple[Relation, Ratings, list[tuple[int, int]]]] = [
        ("orders", _ratings([ahead, behind]), [(0, 1)]),
        ("passes", _ratings([merged(items) for items in passes]), pairs),
    ]
    return [
        _agreement(relation, (name, name), ratings, compared, resampling)
        for relation, ratings, compared in kinds
        if _shared(ratings, compared)
    ]


@dataclass(frozen=True)
class Ratings:
    """Items × raters of codes, and the prompt of each item."""

    prompts: Sequence[str]
    codes: Codes


def _ratings(raters: Sequence[Mapping[Item, int]]) -> Ratings:
    items = sorted({item for rater in raters for item in rater})
    codes = [[rater.get(item, MISSING) for rater in raters] for item in items]
    return Ratings([item[0] for item in items], np.array(codes).reshape(len(items), len(raters)))


def _shared(ratings: Ratings, pairs: Sequence[tuple[int, int]]) -> bool:
    """Whether a pair of raters has an item in common."""
    judged = ratings.codes != MISSING
    return any(bool((judged[:, a] & judged[:, b]).any()) for a, b in pairs)


def _agreement(
    relation: Relation,
    between: tuple[str, str],
    ratings: Ratings,
    pairs: Sequence[tuple[int, int]],
    resampling: Resampling,
) -> Agreement:
    """The choices of these pairs of raters on their common items, taken together."""
    first, second = between
    counted = sum(_compared(ratings.codes[:, a], ratings.codes[:, b]) for a, b in pairs)
    assert not isinstance(counted, int)
    kept = counted[0] > 0
    raters = sorted({rater for pair in pairs for rater in pair})
    codes = ratings.codes[kept][:, raters]
    names = [name for name, keep in zip(ratings.prompts, kept, strict=True) if keep]
    prompts, clusters = np.unique(names, return_inverse=True)
    drawn = resampling.seeded("agreement")
    compared, agreed, discounted, decided, both = (
        np.bincount(clusters, weights=row).astype(np.float64) for row in counted[:, kept]
    )

    def interval(statistic: Statistic) -> Interval:
        return drawn.interval(statistic, len(prompts))

    def optional(statistic: Statistic) -> Interval | None:
        try:
            return interval(statistic)
        except NotEstimable:
            return None

    def of_items(statistic: Statistic) -> Interval | None:
        return optional(lambda weights: statistic(weights[:, clusters]))

    counts = rating_counts(codes, CATEGORIES)
    ratings_each = counts.sum(axis=1)
    even = len(raters) > 2 and ratings_each.min() == ratings_each.max()
    one_crowd = relation != "between"
    return Agreement(
        relation=relation,
        first=first,
        second=second,
        annotators=len(raters),
        items=len(names),
        prompts=len(prompts),
        agreement=interval(ratio_of(agreed, compared)),
        tie_discounted=interval(ratio_of(discounted, compared)),
        without_ties=optional(ratio_of(both, decided)),
        cohen=of_items(cohen_kappa(codes[:, 0], codes[:, 1], CATEGORIES))
        if len(pairs) == 1
        else None,
        fleiss=of_items(fleiss_kappa(counts)) if one_crowd and even else None,
        alpha=of_items(krippendorff_alpha(counts)) if one_crowd else None,
    )


def _difference(
    ratings: Ratings,
    pairs: Sequence[tuple[int, int]],
    others: Sequence[tuple[int, int]],
    resampling: Resampling,
) -> Interval | None:
    """Tie-discounted accuracy of `pairs` minus that of `others`, over the same prompts."""
    prompts, clusters = np.unique(list(ratings.prompts), return_inverse=True)
    ratios = []
    for chosen in (pairs, others):
        counted = np.zeros((5, len(clusters)))
        for a, b in chosen:
            counted += _compared(ratings.codes[:, a], ratings.codes[:, b])
        compared, discounted = (
            np.bincount(clusters, weights=counted[row]).astype(np.float64) for row in (0, 2)
        )
        ratios.append(ratio_of(discounted, compared))
    one, other = ratios
    try:
        return resampling.seeded("agreement").interval(
            lambda weights: one(weights) - other(weights), len(prompts)
        )
    except NotEstimable:
        return None


def _compared(one: Codes, other: Codes) -> Array:
    """Rows over items: both judged, agree, tie-discounted, neither says tie, and those agree."""
    judged = (one != MISSING) & (other != MISSING)
    decided = judged & (one != TIE) & (other != TIE)
    agree = judged & (one == other)
    return np.stack(
        [judged, agree, judged * tie_discounted(one, other, TIE), decided, decided & agree]
    ).astype(np.float64)
