"""Bradley–Terry and length control: known truths found again, independent fits, refusals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from limaflow.intervals import NotEstimable, Resampling
from limaflow.measures.bradley_terry import Contest, strengths
from limaflow.measures.length_control import Outcome, length_controlled_win
from limaflow.measures.logistic import fit

RESAMPLING = Resampling(rounds=200, confidence=0.95, seed=1)
DRAWN_TOGETHER = 0.399
"""Strength of a model of log-odds ½ above the average, where a fifth of `contests` is ties."""


def sigmoid(x: float) -> float:
    return float(1 / (1 + np.exp(-x)))


def contests(truth: dict[str, float], prompts: int, seed: int = 0) -> list[Contest]:
    draw = np.random.default_rng(seed)
    names = sorted(truth)
    return [
        Contest(
            prompt_id=f"p{n}",
            first=a,
            second=b,
            share=0.5
            if draw.random() < 0.2
            else float(draw.random() < sigmoid(truth[a] - truth[b])),
        )
        for n in range(prompts)
        for i, a in enumerate(names)
        for b in names[i + 1 :]
    ]


def outcomes(preference: float, bias: float, prompts: int, seed: int = 0) -> list[Outcome]:
    draw = np.random.default_rng(seed)
    differences = draw.normal(200, 400, size=prompts)
    return [
        Outcome(
            prompt_id=f"p{n}",
            share=float(draw.random() < sigmoid(preference + bias * d / 400)),
            longer_by=d,
        )
        for n, d in enumerate(differences)
    ]


@given(st.integers(0, 1000), st.integers(2, 4))
@settings(max_examples=20, deadline=None)
def test_the_fit_is_the_maximum_of_the_likelihood(seed: int, columns: int) -> None:
    draw = np.random.default_rng(seed)
    design = draw.normal(size=(60, columns))
    shares = draw.choice([0, 0.5, 1], size=60)
    weights = draw.integers(1, 4, size=60).astype(float)

    def loss(coefficients: np.ndarray) -> float:
        z = design @ coefficients
        return float((weights * (np.logaddexp(0, z) - shares * z)).sum())

    theirs = minimize(loss, np.zeros(columns), tol=1e-10).x
    assert fit(design, shares, weights[None])[0] == pytest.approx(theirs, abs=1e-4)


def test_strengths_are_found_again_and_sum_to_nothing() -> None:
    truth = {"a": 1.0, "b": 0.2, "c": -0.2, "d": -1.0}
    found = strengths(contests(truth, 400), RESAMPLING)
    assert sum(i.estimate for i in found.values()) == pytest.approx(0, abs=1e-9)
    assert sorted(found, key=lambda name: -found[name].estimate) == ["a", "b", "c", "d"]
    # Ties at a fifth of all contests draw strengths together.
    assert found["a"].estimate - found["d"].estimate == pytest.approx(1.6, abs=0.25)
    for interval in found.values():
        assert interval.low < interval.estimate < interval.high


def test_swapping_sides_and_renaming_change_no_strength() -> None:
    played = contests({"a": 0.5, "b": 0.0, "c": -0.5}, 60)
    swapped = [
        Contest(prompt_id=c.prompt_id, first=c.second, second=c.first, share=1 - c.share)
        for c in played
    ]
    other = {"a": "z", "b": "m", "c": "k"}
    renamed = [
        Contest(prompt_id=c.prompt_id, first=other[c.first], second=other[c.second], share=c.share)
        for c in played
    ]
    ours, theirs, last = (strengths(x, RESAMPLING) for x in (played, swapped, renamed))
    for name, interval in ours.items():
        assert vars(interval) == pytest.approx(vars(theirs[name]))
        assert vars(interval) == pytest.approx(vars(last[other[name]]))


def test_two_models_have_the_log_odds_of_their_wins() -> None:
    played = [Contest(prompt_id=str(n), first="a", second="b", share=n % 4 / 3) for n in range(60)]
    played += [Contest(prompt_id=str(n), first="a", second="b", share=1.0) for n in range(60, 120)]
    found = strengths(played, RESAMPLING)
    share = np.mean([c.share for c in played])
    assert found["a"].estimate - found["b"].estimate == pytest.approx(np.log(share / (1 - share)))


@pytest.mark.parametrize(
    ("shares", "told"),
    [
        ({("a", "b"): [1, 0], ("a", "c"): [1, 1], ("b", "c"): [1]}, "'c' never won or tied"),
        ({("a", "b"): [1, 0], ("c", "d"): [1, 0]}, "no comparison links 'c', 'd' with 'a'"),
    ],
)
def test_strengths_without_limit_are_refused(shares, told: str) -> None:
    played = [
        Contest(prompt_id=str(n), first=a, second=b, share=float(share))
        for (a, b), of_pair in shares.items()
        for n, share in enumerate(of_pair)
    ]
    with pytest.raises(NotEstimable, match=told):
        strengths(played, RESAMPLING)


def test_a_single_saving_win_is_too_little_for_an_interval() -> None:
    shares = {("a", "b"): [1, 0] * 20, ("a", "c"): [1] * 40, ("b", "c"): [1] * 39 + [0]}
    played = [
        Contest(prompt_id=str(n), first=a, second=b, share=float(share))
        for (a, b), of_pair in shares.items()
        for n, share in enumerate(of_pair)
    ]
    with pytest.raises(NotEstimable, match="of the resamples determine no value"):
        strengths(played, RESAMPLING)


def test_strengths_of_nothing_but_ties_have_no_width_that_could_be_known() -> None:
    ties = [
        Contest(prompt_id=str(n), first=a, second=b, share=0.5)
        for n in range(40)
        for a, b in (("a", "b"), ("a", "c"), ("b", "c"))
    ]
    with pytest.raises(NotEstimable, match="gives the same value"):
        strengths(ties, RESAMPLING)


@pytest.mark.slow
@pytest.mark.parametrize("prompts", [30, 50, 300])
def test_strengths_and_rates_at_equal_length_hold_the_truth(prompts: int) -> None:
    truth, studies = {"a": 0.5, "b": 0.0, "c": -0.5}, 300
    held = {"strength": 0, "rate": 0}
    for study in range(studies):
        resampling = Resampling(rounds=200, confidence=0.95, seed=study)
        found = strengths(contests(truth, prompts, seed=study), resampling)["a"]
        held["strength"] += found.low <= DRAWN_TOGETHER <= found.high
        rate = length_controlled_win(outcomes(0.4, 0.5, prompts, seed=study), resampling)
        held["rate"] += rate.low <= sigmoid(0.4) <= rate.high
    # 300 studies miss the level by 1.3 points in one of six.
    assert min(held.values()) / studies >= 0.935 - 0.013


def test_a_preference_for_length_alone_leaves_one_half() -> None:
    judged = outcomes(preference=0.0, bias=1.5, prompts=1500)
    raw = np.mean([o.share for o in judged])
    found = length_controlled_win(judged, RESAMPLING)
    assert raw > 0.6
    assert found.low < 0.5 < found.high
    assert found.estimate == pytest.approx(0.5, abs=0.05)


def test_swapping_the_models_mirrors_the_rate_at_equal_length() -> None:
    judged = outcomes(preference=0.6, bias=0.5, prompts=80)
    swapped = [
        Outcome(prompt_id=o.prompt_id, share=1 - o.share, longer_by=-o.longer_by) for o in judged
    ]
    one, other = (length_controlled_win(x, RESAMPLING) for x in (judged, swapped))
    assert one.estimate == pytest.approx(1 - other.estimate)
    assert one.low == pytest.approx(1 - other.high)


def test_samples_of_a_prompt_share_its_weight() -> None:
    judged = outcomes(preference=0.3, bias=0.5, prompts=60)
    thrice = [o for o in judged for _ in range(3)]
    ours, theirs = (length_controlled_win(x, RESAMPLING) for x in (judged, thrice))
    assert vars(ours) == pytest.approx(vars(theirs))


@pytest.mark.parametrize(
    ("shares", "longer_by", "told"),
    [
        ([1, 1, 0, 0], [3, 1, -1, -5], "length alone tells who wins"),
        ([1, 1, 1, 1], [3, 1, -1, -5], "every prompt has the same outcome"),
        ([1, 0, 1, 0], [3, 1, 2, 5], "always longer"),
        ([1, 0, 1, 0], [0, 0, 0, 0], "never differ in length"),
    ],
)
def test_what_length_cannot_be_taken_out_of_is_refused(shares, longer_by, told: str) -> None:
    judged = [
        Outcome(prompt_id=str(n), share=share, longer_by=length)
        for n, (share, length) in enumerate(zip(shares, longer_by, strict=True))
    ]
    with pytest.raises(NotEstimable, match=told):
        length_controlled_win(judged, RESAMPLING)
