"""How far annotators agree: coefficients over items, each as a statistic of the items' weights.

Choices are codes from 0 to `categories` - 1; -1 stands for an item that an annotator did not judge.
"""

import numpy as np
from numpy.typing import NDArray

from limaflow.intervals import Array, Statistic, mean_of

Codes = NDArray[np.int64]


def tie_discounted(one: Codes, other: Codes, tie: int) -> Array:
    """Of each item: 1 where both agree, ½ where exactly one of them says tie, else 0.

    Zhou et al. 2023 (2305.11206), section 4, who call its mean tie-discounted accuracy.
    """
    halves = ((one == tie) ^ (other == tie)) / 2
    return np.where(one == other, 1.0, halves)


def cohen_kappa(one: Codes, other: Codes, categories: int) -> Statistic:
    """Cohen's κ of two annotators (1960, doi:10.1177/001316446002000104).

    (observed - expected) / (1 - expected), expected from each one's own shares; undefined where
    both always say the same one thing.
    """
    first, second = _one_hot(one, categories), _one_hot(other, categories)

    def statistic(weights: Array) -> Array:
        total = weights.sum(axis=1)
        observed = mean_of((one == other).astype(np.float64))(weights)
        expected = ((weights @ first) * (weights @ second)).sum(axis=1) / total**2
        return _beyond_chance(observed, expected)

    return statistic


def fleiss_kappa(counts: Array) -> Statistic:
    """Fleiss' κ (1971, doi:10.1037/h0031619) of items that all have the same number of ratings.

    Args:
        counts: items × categories, how many annotators chose each.

    Raises:
        ValueError: items differ in their number of ratings, or have fewer than two.
    """
    ratings = counts.sum(axis=1)
    if not len(counts) or ratings.min() != ratings.max() or ratings[0] < 2:
        raise ValueError("Fleiss' kappa needs the same number of ratings, two or more, everywhere")
    raters = ratings[0]
    agreed = ((counts**2).sum(axis=1) - raters) / (raters * (raters - 1))

    def statistic(weights: Array) -> Array:
        shares = (weights @ counts) / (weights.sum(axis=1, keepdims=True) * raters)
        return _beyond_chance(mean_of(agreed)(weights), (shares**2).sum(axis=1))

    return statistic


def krippendorff_alpha(counts: Array) -> Statistic:
    """Krippendorff's α for nominal data; any number of ratings an item.

    1 - observed / expected disagreement, of the values that can be paired within their item
    (Krippendorff 2011, "Computing Krippendorff's alpha-reliability").

    Args:
        counts: items × categories, how many annotators chose each.
    """
    # A value alone in its item cannot be paired.
    counts = counts * (counts.sum(axis=1, keepdims=True) >= 2)
    ratings = counts.sum(axis=1)
    # Ordered pairs of unlike values in an item, over the number of partners of each value.
    unlike = (ratings**2 - (counts**2).sum(axis=1)) / np.maximum(ratings - 1, 1)

    def statistic(weights: Array) -> Array:
        values = weights @ counts
        total = values.sum(axis=1)
        expected = (total**2 - (values**2).sum(axis=1)) / (total - 1)
        alpha: Array = 1 - (weights @ unlike) / expected
        return alpha

    return statistic


def rating_counts(codes: Codes, categories: int) -> Array:
    """Items × annotators of codes → items × categories of counts."""
    counts = [(codes == category).sum(axis=1) for category in range(categories)]
    return np.stack(counts, axis=1).astype(np.float64)


def _one_hot(codes: Codes, categories: int) -> Array:
    return np.eye(categories)[codes]


def _beyond_chance(observed: Array, expected: Array) -> Array:
    # Sums of shares miss 1 by rounding; a chance of 1 leaves nothing to be judged by.
    certain = expected > 1 - 1e-12
    return np.where(certain, np.nan, (observed - expected) / np.where(certain, 1, 1 - expected))
