"""Laws that win, tie and lose rates obey, and their values on small known cases."""

import math
from dataclasses import replace

import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from limaflow.errors import InputError
from limaflow.intervals import Resampling
from limaflow.judging.instrument import known
from limaflow.measures.grade_means import grade_summaries
from limaflow.measures.outcomes import merged, rates, scores_by_prompt
from limaflow.measures.preferences import preferences
from limaflow.measures.summaries import MERGES, Preference, Rates, Slots
from limaflow.records import Choice, Grade, Verdict

RESAMPLING = Resampling(rounds=100, confidence=0.9, seed=3)
CHOICES: list[Choice | None] = ["first", "second", "tie", None]


def verdict(
    prompt_id: str, first: str, choice: Choice | None, *, sample: int = 0, cost: float = 0.0
) -> Verdict:
    second = "b" if first == "a" else "a"
    return Verdict(
        prompt_id=prompt_id,
        sample=sample,
        first=first,
        second=second,
        first_response_id=f"{prompt_id}{sample}{first}",
        second_response_id=f"{prompt_id}{sample}{second}",
        annotator="j",
        choice=choice,
        error=None if choice else "unreadable",
        cost=cost,
    )


@st.composite
def judged(draw: st.DrawFn) -> list[Verdict]:
    """Verdicts on a few prompts and samples in both orders, some of them failed, one readable."""
    made = [verdict("0", "a", "first"), verdict("0", "b", draw(st.sampled_from(CHOICES[:3])))]
    for prompt_id in range(1, draw(st.integers(1, 5))):
        for sample in range(draw(st.integers(1, 3))):
            for first in draw(st.sampled_from(["a", "b", "ab"])):
                choice = draw(st.sampled_from(CHOICES))
                made.append(verdict(str(prompt_id), first, choice, sample=sample))
    return made


def seen_from(first: str, verdicts: list[Verdict], rule: str = "strict") -> Preference:
    second = "b" if first == "a" else "a"
    (summary,) = preferences(
        verdicts, rule=rule, resampling=RESAMPLING, comparison=f"{first}-vs-{second}"
    )
    return summary


def by_rule(summary: Preference) -> dict[str, Rates]:
    return {other.rule: other for other in summary.other_merges}


@given(judged(), st.sampled_from(MERGES))
@settings(max_examples=30, deadline=None)
def test_win_tie_and_lose_sum_to_one(verdicts: list[Verdict], rule: str) -> None:
    s = seen_from("a", verdicts, rule)
    assert math.isclose(s.win.estimate + s.tie.estimate + s.lose.estimate, 1)
    assert {rule, *(other.rule for other in s.other_merges)} == set(MERGES)
    for other in s.other_merges:
        assert math.isclose(other.win + other.tie + other.lose, 1)
    assert math.isclose(s.adjusted_win.estimate, s.win.estimate + s.tie.estimate / 2)
    assert 0 <= s.p_value <= 1


@given(judged(), st.sampled_from(MERGES))
@settings(max_examples=30, deadline=None)
def test_swapping_the_models_mirrors_everything(verdicts: list[Verdict], rule: str) -> None:
    one, other = seen_from("a", verdicts, rule), seen_from("b", verdicts, rule)
    assert one.win == other.lose and one.lose == other.win and one.tie == other.tie
    assert one.p_value == other.p_value
    assert one.position_consistency == other.position_consistency
    assert one.permutation_p_value == other.permutation_p_value
    assert (one.power is None) == (other.power is None)
    if one.power and other.power and one.power.detectable and other.power.detectable:
        assert math.isclose(one.power.detectable, other.power.detectable)
    assert one.first_slot_share == other.first_slot_share and one.same_slot == other.same_slot
    assert one.longer_by == other.longer_by is None
    assert math.isclose(one.adjusted_win.low, 1 - other.adjusted_win.high, abs_tol=1e-9)


@given(judged())
@settings(max_examples=30, deadline=None)
def test_the_strict_rule_ties_at_least_as_often(verdicts: list[Verdict]) -> None:
    strict, mean = seen_from("a", verdicts, "strict"), seen_from("a", verdicts, "mean")
    # A win in one order and a loss in the other is a tie; a win and a tie are as well.
    assert strict.tie.estimate >= mean.tie.estimate - 1e-12
    assert strict.win.estimate <= mean.win.estimate + 1e-12
    assert by_rule(strict)["mean"].win == pytest.approx(mean.win.estimate)
    majority = by_rule(strict)["majority"]
    assert strict.win.estimate <= majority.win + 1e-12
    assert strict.lose.estimate <= majority.lose + 1e-12


@given(judged(), st.randoms())
@settings(max_examples=30, deadline=None)
def test_the_order_of_the_records_means_nothing(verdicts: list[Verdict], random) -> None:
    shuffled = list(verdicts)
    random.shuffle(shuffled)
    assert seen_from("a", shuffled) == seen_from("a", verdicts)


@pytest.mark.parametrize(
    ("orders", "strict", "majority", "mean"),
    [
        ([1, 1], (1, 0, 0), (1, 0, 0), (1, 0, 0)),
        ([1, -1], (0, 1, 0), (0, 1, 0), (0.5, 0, 0.5)),
        ([1, 0], (0, 1, 0), (1, 0, 0), (0.5, 0.5, 0)),
        ([0, -1], (0, 1, 0), (0, 0, 1), (0, 0.5, 0.5)),
        ([0, 0], (0, 1, 0), (0, 1, 0), (0, 1, 0)),
        ([-1], (0, 0, 1), (0, 0, 1), (0, 0, 1)),
    ],
)
def test_two_orders_become_one_outcome(orders, strict, majority, mean) -> None:
    assert merged(orders, "strict") == strict
    assert merged(orders, "majority") == majority
    assert merged(orders, "mean") == mean


def test_an_error_in_one_order_drops_the_prompt_and_is_counted() -> None:
    verdicts = [
        *(verdict("1", "a", "first", cost=0.5), verdict("1", "b", None, cost=0.25)),
        *(verdict("2", "a", "second"), verdict("2", "b", "first")),
    ]
    s = seen_from("a", verdicts)
    assert (s.prompts, s.errors, s.error_share) == (1, 1, 0.25)
    assert (s.win.estimate, s.lose.estimate) == (0, 1)
    assert s.cost == 0.75


def test_samples_are_averaged_within_their_prompt() -> None:
    verdicts = [
        *(verdict("1", "a", "first", sample=n) for n in range(3)),
        verdict("1", "a", "second", sample=3),
        verdict("2", "a", "second"),
    ]
    assert rates(scores_by_prompt(verdicts, "a"), "strict") == [(0.75, 0, 0.25), (0, 0, 1)]
    assert seen_from("a", verdicts).win.estimate == 0.375


def test_the_sign_test_leaves_ties_out() -> None:
    verdicts = [verdict(str(n), "a", "first") for n in range(5)]
    verdicts += [verdict(str(n), "a", "tie") for n in range(5, 50)]
    assert seen_from("a", verdicts).p_value == pytest.approx(2 / 2**5)
    assert seen_from("a", verdicts[5:]).p_value == 1.0


def test_a_judge_that_always_takes_the_first_is_found_out() -> None:
    verdicts = [verdict(str(n), first, "first") for n in range(10) for first in "ab"]
    s = seen_from("a", verdicts)
    assert s.position_consistency is not None and s.position_consistency.estimate == 0
    assert s.first_slot_share is not None
    assert (s.first_slot_share.estimate, s.first_slot_share.high) == (1, 1)
    assert s.first_slot_share.low > 0.6, "ten prompts are no certainty"
    assert s.same_slot == Slots(first=1, second=0)
    assert s.tie.estimate == 1.0 and s.p_value == 1.0
    mean = by_rule(s)["mean"]
    assert (mean.win, mean.lose) == (0.5, 0.5)


def test_lengths_are_told_where_they_are_known() -> None:
    verdicts = [verdict("1", "a", "first"), verdict("1", "b", "second"), verdict("2", "a", "tie")]
    chars = {"10a": 50, "10b": 10, "20a": 30, "20b": 90}
    (s,) = preferences(verdicts, rule="strict", resampling=RESAMPLING, chars=chars)
    assert s.longer_wins is not None and s.longer_wins.estimate == 1.0
    assert (s.mean_chars.first, s.mean_chars.second) == (40, 50)
    assert seen_from("a", verdicts).longer_wins is None


def test_verdicts_on_other_responses_than_given_are_refused() -> None:
    verdicts = [verdict("1", "a", "first"), verdict("2", "a", "first")]
    with pytest.raises(InputError, match="lengths of 2 of 4 judged responses are not known"):
        preferences(
            verdicts, rule="strict", resampling=RESAMPLING, chars={"10a": 1, "10b": 2, "other": 3}
        )


def test_where_all_are_ties_no_two_intervals_disagree() -> None:
    verdicts = [verdict(str(n), "a", "tie") for n in range(30)]
    chars = {f"{n}0{model}": 10 + n * (model == "a") for n in range(30) for model in "ab"}
    (s,) = preferences(verdicts, rule="strict", resampling=RESAMPLING, chars=chars)
    assert s.power is None
    assert s.length_controlled_win.interval is None
    assert "every prompt has the same outcome" in s.length_controlled_win.refused
    assert s.adjusted_win.low < 0.5 < s.adjusted_win.high
    assert s.tie.low == pytest.approx(1 - s.win.high) and s.win == s.lose


def test_two_prompts_show_no_difference_that_there_could_be() -> None:
    s = seen_from("a", [verdict("1", "a", "first"), verdict("2", "a", "second")])
    assert s.power is not None and s.power.detectable is None


def test_standard_errors_are_those_of_a_mean_over_prompts() -> None:
    choices: list[Choice] = ["first", "first", "tie", "second"]
    s = seen_from("a", [verdict(str(n), "a", choice) for n, choice in enumerate(choices)])
    expected = scipy.stats.sem([1, 1, 0.5, 0])
    assert s.standard_errors.adjusted_win == pytest.approx(expected)
    assert s.standard_errors.graded_win is None
    assert s.seen_from("b").standard_errors.win == s.standard_errors.lose
    assert seen_from("a", [verdict("1", "a", "first")]).standard_errors.win is None


def test_one_order_judged_twice_is_refused() -> None:
    with pytest.raises(InputError, match="prompt 1, sample 0: two verdicts of 'j'"):
        seen_from("a", [verdict("1", "a", "first"), verdict("1", "a", "tie")])


def test_no_readable_verdict_is_an_error() -> None:
    with pytest.raises(InputError, match="no prompt has readable verdicts"):
        seen_from("a", [verdict("1", "a", None)])


def graded(prompt_id: str, value: int | None, sample: int = 0) -> Grade:
    return Grade(
        prompt_id=prompt_id,
        sample=sample,
        model="a",
        response_id=f"{prompt_id}{sample}",
        instrument="likert",
        scale="likert-6",
        annotator="j",
        value=value,
        error=None if value else "unreadable",
    )


def test_grades_are_averaged_over_prompts_not_samples() -> None:
    grades = [graded("1", 6, n) for n in range(3)] + [graded("2", 2), graded("3", None)]
    (s,) = grade_summaries(grades, known([]), RESAMPLING)
    assert (s.mean.estimate, s.prompts, s.errors) == (4.0, 2, 1)
    assert (s.instrument, s.title, s.ordered) == ("likert", "How helpful is the answer?", True)
    assert s.words == {str(level): str(level) for level in range(1, 7)}
    assert s.counts == {"1": 0, "2": 1, "3": 0, "4": 0, "5": 0, "6": 3}
    assert s.mean.low <= s.mean.estimate <= s.mean.high


def test_a_model_without_readable_grades_is_an_error() -> None:
    with pytest.raises(InputError, match="no readable grade"):
        grade_summaries([graded("1", None)], known([]), RESAMPLING)


def test_grades_by_an_unknown_instrument_or_on_another_scale_are_refused() -> None:
    with pytest.raises(InputError, match=r"by the instrument 'harm', whose file is not given"):
        grade_summaries([replace(graded("1", 2), instrument="harm")], known([]), RESAMPLING)
    with pytest.raises(InputError, match="by 'likert' on the scale likert-7, and the scale"):
        grade_summaries([replace(graded("1", 2), scale="likert-7")], known([]), RESAMPLING)


def test_graded_verdicts_are_averaged_beside_their_choices() -> None:
    """As AlpacaEval's `win_rate` is beside its `discrete_win_rate`."""
    shares = [0.9, 0.6, 0.5, 0.2]
    sides: list[Choice] = ["first", "first", "tie", "second"]
    graded = [
        replace(verdict(str(n), "a", side), first_share=share)
        for n, (side, share) in enumerate(zip(sides, shares, strict=True))
    ]
    ours, theirs = seen_from("a", graded), seen_from("b", graded)
    assert ours.graded_win and theirs.graded_win
    assert ours.graded_win.estimate == pytest.approx(0.55)
    assert ours.adjusted_win.estimate == pytest.approx(2.5 / 4)
    assert theirs.graded_win.estimate == pytest.approx(0.45)
    mirrored = ours.seen_from("b").graded_win
    assert mirrored and (mirrored.low, mirrored.high) == pytest.approx(
        (theirs.graded_win.low, theirs.graded_win.high)
    )
    # The other order is a share of the other model; one mere choice is 1, ½ or 0.
    both = [*graded, replace(verdict("0", "b", "second"), first_share=0.3), verdict("4", "a", None)]
    swapped = seen_from("a", both).graded_win
    assert swapped and swapped.estimate == pytest.approx((0.8 + 0.6 + 0.5 + 0.2) / 4)
    mixed = seen_from("a", [*graded, verdict("4", "a", "first")]).graded_win
    assert mixed and mixed.estimate == pytest.approx(3.2 / 5)
    assert seen_from("a", [verdict("0", "a", "first")]).graded_win is None
