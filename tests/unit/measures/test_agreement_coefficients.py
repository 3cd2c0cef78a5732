"""Coefficients of agreement: published examples, independent implementations, and laws."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from limaflow.intervals import NotEstimable, Resampling
from limaflow.measures.agreement_coefficients import (
    cohen_kappa,
    fleiss_kappa,
    gwet_ac1,
    krippendorff_alpha,
    quadratic,
    rated,
    tie_discount,
    within,
)

RESAMPLING = Resampling(rounds=200, confidence=0.95, seed=1)
COEFFICIENTS = (cohen_kappa, fleiss_kappa, gwet_ac1, krippendorff_alpha)
ORDERED = (
    lambda ratings: cohen_kappa(ratings, quadratic(3)),
    lambda ratings: krippendorff_alpha(ratings, ordinal=True),
)
Pairs = list[tuple[int, int]]
pairs = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=2, max_size=40)


def value(statistic, items: int) -> float:
    with np.errstate(all="ignore"):
        return float(statistic(np.ones((1, items)))[0])


def of_pairs(drawn: Pairs) -> np.ndarray:
    return rated(np.array(drawn), 3)


def test_fleiss_own_example() -> None:
    """Fleiss 1971 as retold everywhere: 10 subjects, 14 raters, 5 categories, κ = 0.210."""
    counts = np.array(
        [
            *([0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0]),
            *([2, 2, 8, 1, 1], [7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2]),
            *([6, 5, 2, 1, 0], [0, 2, 2, 3, 7]),
        ]
    )
    codes = [np.repeat(np.arange(5), row) for row in counts]
    assert value(fleiss_kappa(rated(np.array(codes), 5)), 10) == pytest.approx(0.210, abs=5e-4)


def test_krippendorffs_own_example_with_missing_values() -> None:
    """Krippendorff 2011, sections C and D: 12 units, 4 observers, α 0.743, ordinal 0.815."""
    observers = [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, 0, 0, 0],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, 0, 3],
        [0, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, 0],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, 0],
    ]
    ratings = rated(np.array(observers).T - 1, 5)
    assert value(krippendorff_alpha(ratings), 12) == pytest.approx(0.743, abs=5e-4)
    assert value(krippendorff_alpha(ratings, ordinal=True), 12) == pytest.approx(0.815, abs=5e-4)


@given(pairs)
@settings(max_examples=60, deadline=None)
def test_cohens_kappa_is_that_of_scikit_learn(drawn: Pairs) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    one, other = np.array(drawn).T
    assume(len({*one, *other}) > 1)
    ours = value(cohen_kappa(of_pairs(drawn)), len(one))
    assert ours == pytest.approx(metrics.cohen_kappa_score(one, other), abs=1e-12)
    weighted = value(cohen_kappa(of_pairs(drawn), quadratic(3)), len(one))
    theirs = metrics.cohen_kappa_score(one, other, labels=[0, 1, 2], weights="quadratic")
    assert weighted == pytest.approx(theirs, abs=1e-12)


votes = st.lists(st.tuples(*[st.integers(-1, 2)] * 4), min_size=2, max_size=20)


@given(votes)
@settings(max_examples=60, deadline=None)
def test_alpha_with_missing_values_is_that_of_the_package_krippendorff(
    drawn: list[tuple[int, ...]],
) -> None:
    package = pytest.importorskip("krippendorff")
    codes = np.array(drawn)
    paired = codes[(codes >= 0).sum(axis=1) >= 2]
    assume(len(set(paired[paired >= 0].tolist())) > 1)
    theirs = np.where(codes < 0, np.nan, codes.astype(float)).T
    for level, ours in (
        ("nominal", krippendorff_alpha(rated(codes, 3))),
        ("ordinal", krippendorff_alpha(rated(codes, 3), ordinal=True)),
    ):
        expected = package.alpha(
            reliability_data=theirs, level_of_measurement=level, value_domain=[0, 1, 2]
        )
        assert value(ours, len(codes)) == pytest.approx(expected, abs=1e-9)


@given(st.lists(st.tuples(*[st.integers(0, 2)] * 3), min_size=2, max_size=20))
@settings(max_examples=60, deadline=None)
def test_fleiss_kappa_is_that_of_statsmodels(drawn: list[tuple[int, ...]]) -> None:
    raters = pytest.importorskip("statsmodels.stats.inter_rater")
    codes = np.array(drawn)
    assume(len(set(codes.ravel().tolist())) > 1)
    table = np.stack([(codes == category).sum(axis=1) for category in range(3)], axis=1)
    expected = raters.fleiss_kappa(table, method="fleiss")
    assert value(fleiss_kappa(rated(codes, 3)), len(codes)) == pytest.approx(expected)


@given(pairs)
@settings(max_examples=60, deadline=None)
def test_alpha_of_two_is_what_its_definition_says_pair_by_pair(drawn: Pairs) -> None:
    values = [v for pair in drawn for v in pair]
    unlike = [a != b for a, b in combinations(values, 2)]
    assume(any(unlike))
    expected = 1 - np.mean([a != b for a, b in drawn]) / np.mean(unlike)
    assert value(krippendorff_alpha(of_pairs(drawn)), len(drawn)) == pytest.approx(expected)


@given(pairs)
@settings(max_examples=60, deadline=None)
def test_ordinal_alpha_counts_the_values_between_two_levels(drawn: Pairs) -> None:
    values = np.array(drawn).ravel()

    def distance(one: int, other: int) -> float:
        low, high = sorted((one, other))
        ends = ((values == one).sum() + (values == other).sum()) / 2
        return float(((low <= values) & (values <= high)).sum() - ends) ** 2

    chance = [distance(*pair) for pair in combinations(values, 2)]
    assume(any(chance))
    expected = 1 - np.mean([distance(*pair) for pair in drawn]) / np.mean(chance)
    ours = value(krippendorff_alpha(of_pairs(drawn), ordinal=True), len(drawn))
    assert ours == pytest.approx(expected)


@given(pairs, st.permutations([0, 1, 2]))
@settings(max_examples=60, deadline=None)
def test_names_of_categories_and_annotators_mean_nothing(drawn: Pairs, names: list[int]) -> None:
    renamed = [(names[other], names[one]) for one, other in drawn]
    for coefficient in COEFFICIENTS:
        ours, theirs = (value(coefficient(of_pairs(p)), len(p)) for p in (drawn, renamed))
        assert ours == pytest.approx(theirs, nan_ok=True)


@given(st.lists(st.integers(0, 2), min_size=2, max_size=30))
@settings(max_examples=30, deadline=None)
def test_the_same_choices_agree_wholly(choices: list[int]) -> None:
    assume(len(set(choices)) > 1)
    ratings = rated(np.array([choices] * 3).T, 3)
    assert value(cohen_kappa(ratings), len(choices)) == pytest.approx(1)
    assert value(fleiss_kappa(ratings), len(choices)) == pytest.approx(1)
    assert value(krippendorff_alpha(ratings), len(choices)) == pytest.approx(1)
    assert within(ratings, tie_discount(3, 2)).mean() == 3, "of three pairs"


def test_a_constant_choice_determines_no_kappa() -> None:
    with pytest.raises(NotEstimable):
        RESAMPLING.interval(cohen_kappa(rated(np.zeros((8, 2), dtype=int), 3)), 8)


def test_tie_discounted_accuracy_gives_half_a_point_where_exactly_one_says_tie() -> None:
    choices = of_pairs([(0, 0), (1, 0), (2, 2), (2, 1), (0, 2)])
    assert within(choices, tie_discount(3, tie=2)).tolist() == [1, 0, 1, 0.5, 0.5]


def test_fleiss_kappa_is_refused_where_items_have_unlike_numbers_of_ratings() -> None:
    with pytest.raises(ValueError, match="same number of ratings"):
        fleiss_kappa(rated(np.array([[0, 0, -1], [0, 1, 1]]), 2))


def test_weights_stand_for_repeated_items() -> None:
    generator = np.random.default_rng(0)
    ratings = rated(generator.integers(3, size=(12, 2)), 3)
    weights = generator.integers(1, 4, size=12)
    for coefficient in (*COEFFICIENTS, *ORDERED):
        few, many = coefficient(ratings), coefficient(np.repeat(ratings, weights, axis=0))
        assert few(weights[None].astype(float))[0] == pytest.approx(value(many, weights.sum()))


@given(pairs, pairs)
@settings(max_examples=40, deadline=None)
def test_shares_score_as_their_readings_do_on_average(drawn: Pairs, again: Pairs) -> None:
    """What two orders say, half each, agrees with a third as often as the two do on average."""
    readings = [np.array(p[: min(len(drawn), len(again))]) for p in (drawn, again)]
    fixed = rated(readings[0][:, 0], 3)
    ones = [rated(reading[:, 1], 3) for reading in readings]
    score = tie_discount(3, 2)
    apart = [within(np.stack([fixed, one], axis=1), score) for one in ones]
    together = within(np.stack([fixed, sum(ones) / 2], axis=1), score)
    assert together == pytest.approx(np.mean(apart, axis=0))


def test_ac1_holds_where_one_category_is_rare() -> None:
    """118 items are yes for both, 7 for one alone, none is no for both."""
    codes = [[0, 0]] * 118 + [[0, 1]] * 5 + [[1, 0]] * 2
    ratings = rated(np.array(codes), 2)
    observed, yes = 118 / 125, (123 + 120) / 250
    expected = 2 * yes * (1 - yes)
    assert value(gwet_ac1(ratings), 125) == pytest.approx((observed - expected) / (1 - expected))
    assert value(gwet_ac1(ratings), 125) > 0.94
    assert value(cohen_kappa(ratings), 125) < 0
