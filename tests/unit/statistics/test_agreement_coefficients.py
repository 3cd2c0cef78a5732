"""Coefficients of agreement: published examples, independent implementations, and laws."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from limaflow.intervals import NotEstimable, Resampling
from limaflow.statistics.agreement import (
    cohen_kappa,
    fleiss_kappa,
    krippendorff_alpha,
    rating_counts,
    tie_discounted,
)

RESAMPLING = Resampling(rounds=200, confidence=0.95, seed=1)
ONE = np.ones((1, 1))
Pairs = list[tuple[int, int]]
pairs = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=2, max_size=40)


def value(statistic, items: int) -> float:
    with np.errstate(all="ignore"):
        return float(statistic(np.ones((1, items)))[0])


def columns(drawn: Pairs) -> tuple[np.ndarray, np.ndarray]:
    one, other = np.array(drawn).T
    return one, other


def test_fleiss_own_example() -> None:
    """Fleiss 1971 as retold everywhere: 10 subjects, 14 raters, 5 categories, κ = 0.210."""
    counts = np.array(
        [
            *([0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0]),
            *([2, 2, 8, 1, 1], [7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2]),
            *([6, 5, 2, 1, 0], [0, 2, 2, 3, 7]),
        ],
        dtype=float,
    )
    assert value(fleiss_kappa(counts), 10) == pytest.approx(0.210, abs=5e-4)


def test_krippendorffs_own_example_with_missing_values() -> None:
    """Krippendorff 2011, section C: 12 units, 4 observers, nominal α = 0.743."""
    observers = [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, 0, 0, 0],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, 0, 3],
        [0, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, 0],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, 0],
    ]
    counts = rating_counts(np.array(observers).T - 1, 5)
    assert value(krippendorff_alpha(counts), 12) == pytest.approx(0.743, abs=5e-4)


@given(pairs)
@settings(max_examples=60, deadline=None)
def test_cohens_kappa_is_that_of_scikit_learn(drawn: Pairs) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    one, other = columns(drawn)
    assume(len({*one, *other}) > 1)
    ours = value(cohen_kappa(one, other, 3), len(one))
    assert ours == pytest.approx(metrics.cohen_kappa_score(one, other), abs=1e-12)


@given(pairs)
@settings(max_examples=60, deadline=None)
def test_alpha_of_two_is_what_its_definition_says_pair_by_pair(drawn: Pairs) -> None:
    one, other = columns(drawn)
    values = [v for pair in drawn for v in pair]
    unlike = [a != b for a, b in combinations(values, 2)]
    assume(any(unlike))
    expected = 1 - np.mean([a != b for a, b in drawn]) / np.mean(unlike)
    counts = rating_counts(np.stack([one, other], axis=1), 3)
    assert value(krippendorff_alpha(counts), len(one)) == pytest.approx(expected)


@given(pairs, st.permutations([0, 1, 2]))
@settings(max_examples=60, deadline=None)
def test_names_of_categories_and_annotators_mean_nothing(drawn: Pairs, names: list[int]) -> None:
    one, other = columns(drawn)
    renamed, renamed_too = np.array(names)[one], np.array(names)[other]
    counts = rating_counts(np.stack([one, other], axis=1), 3)
    counts_too = rating_counts(np.stack([renamed_too, renamed], axis=1), 3)
    for ours, theirs in (
        (cohen_kappa(one, other, 3), cohen_kappa(renamed, renamed_too, 3)),
        (cohen_kappa(one, other, 3), cohen_kappa(other, one, 3)),
        (fleiss_kappa(counts), fleiss_kappa(counts_too)),
        (krippendorff_alpha(counts), krippendorff_alpha(counts_too)),
    ):
        assert value(ours, len(one)) == pytest.approx(value(theirs, len(one)), nan_ok=True)


@given(st.lists(st.integers(0, 2), min_size=2, max_size=30))
@settings(max_examples=30, deadline=None)
def test_the_same_choices_agree_wholly(choices: list[int]) -> None:
    assume(len(set(choices)) > 1)
    codes = np.array(choices)
    counts = rating_counts(np.stack([codes] * 3, axis=1), 3)
    assert value(cohen_kappa(codes, codes, 3), len(codes)) == pytest.approx(1)
    assert value(fleiss_kappa(counts), len(codes)) == pytest.approx(1)
    assert value(krippendorff_alpha(counts), len(codes)) == pytest.approx(1)
    assert tie_discounted(codes, codes, 2).mean() == 1


def test_a_constant_choice_determines_no_kappa() -> None:
    codes = np.zeros(8, dtype=int)
    with pytest.raises(NotEstimable):
        RESAMPLING.interval(cohen_kappa(codes, codes, 3), 8)


def test_tie_discounted_accuracy_gives_half_a_point_where_exactly_one_says_tie() -> None:
    one, other = np.array([0, 1, 2, 2, 0]), np.array([0, 0, 2, 1, 2])
    assert tie_discounted(one, other, tie=2).tolist() == [1, 0, 1, 0.5, 0.5]


def test_fleiss_kappa_is_refused_where_items_have_unlike_numbers_of_ratings() -> None:
    with pytest.raises(ValueError, match="same number of ratings"):
        fleiss_kappa(np.array([[2.0, 0.0], [1.0, 2.0]]))


def test_weights_stand_for_repeated_items() -> None:
    generator = np.random.default_rng(0)
    one, other = generator.integers(3, size=(2, 12))
    weights = generator.integers(1, 4, size=12)
    again_one, again_other = np.repeat(one, weights), np.repeat(other, weights)
    counts = rating_counts(np.stack([one, other], axis=1), 3)
    again = rating_counts(np.stack([again_one, again_other], axis=1), 3)
    for few, many in (
        (cohen_kappa(one, other, 3), cohen_kappa(again_one, again_other, 3)),
        (fleiss_kappa(counts), fleiss_kappa(again)),
        (krippendorff_alpha(counts), krippendorff_alpha(again)),
    ):
        assert few(weights[None].astype(float))[0] == pytest.approx(value(many, weights.sum()))
