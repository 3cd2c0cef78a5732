"""How far annotators agree: coefficients over items, each with its interval over prompts.

A rating is a share on each category: 1 on a single one, or parts where several readings were
averaged; all 0 where the annotator did not judge the item. Coefficients of shares are those
expected of one reading of each annotator. `ratings` are items × annotators × categories.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from limaflow.intervals import (
    Array,
    Constant,
    Interval,
    NotEstimable,
    Resampling,
    Statistic,
    mean_of,
)


@dataclass(frozen=True)
class Coefficient:
    """1 - observed / expected disagreement, as a function of the items' weights."""

    statistic: Statistic
    disagreed: Array
    """Of each item, from 0 to its `compared`."""
    compared: Array
    expected: float
    """Disagreement by chance, from 0 to 1, over all items."""

    def __call__(self, weights: Array) -> Array:
        """Weights (rounds × items) → one value a round; NaN where chance alone always agrees."""
        return self.statistic(weights)

    def interval(self, clusters: NDArray[np.int64], resampling: Resampling) -> Interval:
        """Over clusters of items, numbered from 0.

        Each end is the further one of two: of the bootstrap, and of the share of disagreement
        (`Resampling.share`) over what chance makes of it. The second keeps a width where all
        agree, or all are as far apart.

        Raises:
            NotEstimable: there is one cluster, or chance alone always agrees, here or in too many
                resamples.
        """
        clustered = int(clusters.max(initial=-1)) + 1
        if clustered < 2:
            raise NotEstimable("all items are of one cluster")
        parts, wholes = (
            np.bincount(clusters, weights=values).astype(np.float64)
            for values in (self.disagreed, self.compared)
        )
        observed = resampling.share(parts, wholes)
        if not self.expected > SURE:
            raise NotEstimable("chance alone always agrees")
        # No coefficient lies below -1, whatever chance leaves to disagree about.
        low, high = (max(-1.0, 1 - end / self.expected) for end in (observed.high, observed.low))
        try:
            drawn = resampling.interval(lambda weights: self(weights[:, clusters]), clustered)
        except Constant as constant:
            return Interval(constant.estimate, low, high)
        return Interval(drawn.estimate, min(drawn.low, low), max(drawn.high, high))


SURE = 1e-12


def rated(codes: NDArray[np.int64], categories: int) -> Array:
    """Codes from 0 to `categories` - 1 as ratings, one axis more; -1 is not judged."""
    rows = np.vstack([np.eye(categories), np.zeros(categories)])
    return np.asarray(rows[codes])


def tie_discount(categories: int, tie: int) -> Array:
    """The score of two choices: 1 where both agree, ½ where exactly one of them says tie, else 0.

    Zhou et al. 2023 (2305.11206), section 4, who call its mean tie-discounted accuracy.
    """
    score = np.eye(categories)
    score[tie, :] = score[:, tie] = 0.5
    score[tie, tie] = 1
    return score


def within(ratings: Array, score: Array) -> Array:
    """Of each item: the scores of all pairs of its ratings, summed.

    Args:
        score: categories × categories, symmetric.
    """
    own = ((ratings @ score) * ratings).sum(axis=(1, 2))
    return np.asarray((between(ratings, ratings, score) - own) / 2)


def between(ones: Array, others: Array, score: Array) -> Array:
    """Of each item: the scores of all ratings of the ones with all of the others, summed."""
    return np.asarray(((ones.sum(axis=1) @ score) * others.sum(axis=1)).sum(axis=1))


def quadratic(categories: int) -> Array:
    """The score of two levels of an ordered scale: 1 - their squared distance over the largest.

    The quadratic weights of Cohen 1968 (doi:10.1037/h0026256).
    """
    levels = np.arange(categories, dtype=np.float64)
    largest = max(categories - 1, 1)
    return np.asarray(1 - ((levels[:, None] - levels) / largest) ** 2)


def cohen_kappa(ratings: Array, score: Array | None = None) -> Coefficient:
    """Cohen's κ of two annotators (1960, doi:10.1177/001316446002000104) who judged every item.

    (observed - expected) / (1 - expected), expected from each one's own shares; undefined where
    both always say the same one thing.

    Args:
        score: what a pair of categories is worth, for the weighted κ; by default 1 where they are
            the same, else 0.
    """
    first, second = ratings[:, 0], ratings[:, 1]
    scored = first @ (_same(ratings) if score is None else score)
    agreed = (scored * second).sum(axis=1)

    def expected(weights: Array) -> Array:
        total = weights.sum(axis=1)
        return np.asarray(((weights @ scored) * (weights @ second)).sum(axis=1) / total**2)

    return _coefficient(agreed, expected)


def gwet_ac1(ratings: Array) -> Coefficient:
    """Gwet's AC1 of two annotators (2008, doi:10.1348/000711006X126600) who judged every item.

    As Cohen's κ, but chance agrees where a category is common and uncommon alike: Σ π(1 - π) over
    one less than the number of categories, π the mean of both annotators' shares. It does not
    collapse where nearly all items are of one category.
    """
    first, second = ratings[:, 0], ratings[:, 1]
    agreed = (first * second).sum(axis=1)
    categories = ratings.shape[2]

    def expected(weights: Array) -> Array:
        shares = (weights @ (first + second)) / (2 * weights.sum(axis=1, keepdims=True))
        return np.asarray((shares * (1 - shares)).sum(axis=1) / (categories - 1))

    return _coefficient(agreed, expected)


def fleiss_kappa(ratings: Array) -> Coefficient:
    """Fleiss' κ (1971, doi:10.1037/h0031619) of items that all have the same number of ratings.

    Raises:
        ValueError: items differ in their number of ratings, or have fewer than two.
    """
    counts = ratings.sum(axis=1)
    each = counts.sum(axis=1).round()
    if not len(each) or each.min() != each.max() or each[0] < 2:
        raise ValueError("Fleiss' kappa needs the same number of ratings, two or more, everywhere")
    raters = each[0]
    agreed = within(ratings, _same(ratings)) / (raters * (raters - 1) / 2)

    def expected(weights: Array) -> Array:
        shares = (weights @ counts) / (weights.sum(axis=1, keepdims=True) * raters)
        return np.asarray((shares**2).sum(axis=1))

    return _coefficient(agreed, expected)


def krippendorff_alpha(ratings: Array, *, ordinal: bool = False) -> Coefficient:
    """Krippendorff's α for nominal or ordinal data; any number of ratings an item.

    1 - observed / expected disagreement, of the values that can be paired within their item
    (Krippendorff 2011, "Computing Krippendorff's alpha-reliability").
    """
    # A value alone in its item cannot be paired.
    each = ratings.sum(axis=(1, 2)).round()
    counts = ratings.sum(axis=1) * (each >= 2)[:, None]
    own = np.einsum("irc,irk->ick", ratings, ratings)
    # Ordered pairs of values in an item, over the number of partners of each value.
    pairs = np.einsum("ic,ik->ick", counts, counts) - own * (each >= 2)[:, None, None]
    pairs = (pairs / np.maximum(each - 1, 1)[:, None, None]).reshape(len(pairs), -1)

    def unlike(values: Array) -> Array:
        return _rank_distances(values) if ordinal else 1 - _same(ratings)[None]

    def by_chance(values: Array) -> Array:
        chance = values[:, :, None] * values[:, None, :] / (values.sum(axis=1) - 1)[:, None, None]
        return np.asarray((chance * unlike(values)).sum(axis=(1, 2)))

    def statistic(weights: Array) -> Array:
        values = weights @ counts
        found = (weights @ pairs).reshape(len(weights), *own.shape[1:])
        alpha: Array = 1 - (found * unlike(values)).sum(axis=(1, 2)) / by_chance(values)
        return alpha

    total = counts.sum(axis=0, keepdims=True)
    distances = unlike(total)[0]
    furthest = distances.max(initial=0) or 1.0
    disagreed = pairs @ distances.ravel() / furthest
    expected = by_chance(total)[0] / furthest / max(total.sum(), 1)
    return Coefficient(statistic, disagreed, counts.sum(axis=1), float(expected))


def _rank_distances(values: Array) -> Array:
    """Squared number of values between two levels, each level's own counted half (rounds × …).

    That is the distance of their mean ranks, which weights change.
    """
    ranks = values.cumsum(axis=1) - values / 2
    return np.asarray((ranks[:, :, None] - ranks[:, None, :]) ** 2)


def _same(ratings: Array) -> Array:
    return np.eye(ratings.shape[2])


def _coefficient(agreed: Array, expected: Statistic) -> Coefficient:
    """Of agreement from 0 to 1 on each item, and of that expected by chance."""

    def statistic(weights: Array) -> Array:
        by_chance = expected(weights)
        # Sums of shares miss 1 by rounding; a chance of 1 leaves nothing to be judged by.
        certain = by_chance > 1 - SURE
        corrected = (mean_of(agreed)(weights) - by_chance) / np.where(certain, 1, 1 - by_chance)
        return np.where(certain, np.nan, corrected)

    alike = np.ones((1, len(agreed)))
    return Coefficient(statistic, 1 - agreed, np.ones_like(agreed), float(1 - expected(alike)[0]))
