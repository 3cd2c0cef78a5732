"""How far annotators agree: coefficients over items, each as a statistic of the items' weights.

A rating is a share on each category: 1 on a single one, or parts where several readings were
averaged; all 0 where the annotator did not judge the item. Coefficients of shares are those
expected of one reading of each annotator. `ratings` are items × annotators × categories.
"""

import numpy as np
from numpy.typing import NDArray

from limaflow.intervals import Array, Statistic, mean_of


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


def cohen_kappa(ratings: Array, score: Array | None = None) -> Statistic:
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

    def statistic(weights: Array) -> Array:
        total = weights.sum(axis=1)
        expected = ((weights @ scored) * (weights @ second)).sum(axis=1) / total**2
        return _beyond_chance(mean_of(agreed)(weights), expected)

    return statistic


def fleiss_kappa(ratings: Array) -> Statistic:
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

    def statistic(weights: Array) -> Array:
        shares = (weights @ counts) / (weights.sum(axis=1, keepdims=True) * raters)
        return _beyond_chance(mean_of(agreed)(weights), (shares**2).sum(axis=1))

    return statistic


def krippendorff_alpha(ratings: Array, *, ordinal: bool = False) -> Statistic:
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

    def statistic(weights: Array) -> Array:
        values = weights @ counts
        found = (weights @ pairs).reshape(len(weights), *own.shape[1:])
        unlike = _rank_distances(values) if ordinal else 1 - _same(ratings)
        chance = values[:, :, None] * values[:, None, :] / (values.sum(axis=1) - 1)[:, None, None]
        alpha: Array = 1 - (found * unlike).sum(axis=(1, 2)) / (chance * unlike).sum(axis=(1, 2))
        return alpha

    return statistic


def _rank_distances(values: Array) -> Array:
    """Squared number of values between two levels, each level's own counted half (rounds × …).

    That is the distance of their mean ranks, which weights change.
    """
    ranks = values.cumsum(axis=1) - values / 2
    return np.asarray((ranks[:, :, None] - ranks[:, None, :]) ** 2)


def _same(ratings: Array) -> Array:
    return np.eye(ratings.shape[2])


def _beyond_chance(observed: Array, expected: Array) -> Array:
    # Sums of shares miss 1 by rounding; a chance of 1 leaves nothing to be judged by.
    certain = expected > 1 - 1e-12
    return np.where(certain, np.nan, (observed - expected) / np.where(certain, 1, 1 - expected))
