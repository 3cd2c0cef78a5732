"""Who agrees with whom: people with people, people with models, a judge with itself.

Items of one prompt are resampled together.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np

from limaflow.intervals import Interval, NotEstimable, Resampling
from limaflow.measures.agreement_coefficients import (
    Coefficient,
    cohen_kappa,
    fleiss_kappa,
    krippendorff_alpha,
    tie_discount,
)
from limaflow.measures.passes import CATEGORIES, MISSING, TIE, Item, Orders, merged, passes_of
from limaflow.measures.ratings import (
    MOST_PAIRS,
    Ratings,
    beyond_within,
    hasty_of,
    members_of,
    shared,
    summed,
    with_hasty,
)
from limaflow.measures.summaries import Agreement, Merge, Relation
from limaflow.records import Verdict

SAME = np.eye(CATEGORIES)
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
        files: verdicts of each file. What an annotator judges again in another one is a pass.
        groups: name → annotators, such as crowd, authors, models; `expert_*` is all of such names.
        rule: how the two orders of an item become one rating.

    Raises:
        InputError: a file holds one verdict twice, or a group names an unknown annotator.
    """
    by_annotator = passes_of(files)
    members = members_of(groups, by_annotator)
    first_passes = {name: merged(passes[0], rule) for name, passes in by_annotator.items()}
    ratings = shared(first_passes, CATEGORIES)
    found = []
    pairs = ratings.pairs()
    if len(pairs) <= MOST_PAIRS:
        found += [_agreement("pair", pair, ratings.of(pair), None, resampling) for pair in pairs]
    parts = {name: ratings.of(annotators) for name, annotators in members.items()}
    for name, part in parts.items():
        if part.compared(None).any():
            found.append(_agreement("within", (name, name), part, None, resampling))
    for (one, ours), (other, theirs) in combinations(parts.items(), 2):
        if ours.compared(theirs).any():
            row = _agreement("between", (one, other), ours, theirs, resampling)
            beyond = beyond_within(ours, theirs, DISCOUNTED, resampling.seeded("agreement"))
            found.append(replace(row, minus_first=beyond))
    for name in sorted(by_annotator):
        found += _with_itself(name, by_annotator[name], resampling, rule)
    return with_hasty(found, hasty_of(v for verdicts in files for v in verdicts), members)


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
        ratings_of_pass = {str(n): merged(items, rule) for n, items in enumerate(readings)}
        ratings = shared(ratings_of_pass, CATEGORIES)
        if len(ratings.prompts):
            found.append(_agreement(relation, (name, name), ratings, None, resampling))
    return found


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
        summed(clusters, ratings.scored(others, score)[kept])
        for score in (ratings.any, SAME, DISCOUNTED, DECIDED, DECIDED * SAME)
    )

    def optional(interval: Callable[[], Interval]) -> Interval | None:
        try:
            return interval()
        except NotEstimable:
            return None

    def of_items(coefficient: Coefficient) -> Interval | None:
        return optional(lambda: coefficient.interval(clusters, drawn))

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
