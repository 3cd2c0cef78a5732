"""Verdicts as rates with intervals: who wins, how surely, how far to trust the judge.

The unit is the prompt: orders and samples of one prompt are not independent, so they are averaged
within it before anything is resampled or tested (Field & Welsh 2007, "Bootstrapping clustered
data"). Plain functions over records, whoever made them.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from limaflow.errors import InputError, shortened
from limaflow.intervals import Array, Interval, NotEstimable, Resampling, mean_of
from limaflow.measures.length_control import Outcome, length_controlled_win, longer_chosen
from limaflow.measures.outcomes import Prompts, merged, rates, scores_by_prompt, shares_given
from limaflow.measures.positions import consistency, first_slot, toward_first, toward_second
from limaflow.measures.power import DIFFERENCE, POWER, detectable, prompts_needed
from limaflow.measures.significance import permutation_test, sign_test
from limaflow.measures.summaries import (
    MERGES,
    MeanChars,
    Merge,
    Power,
    Preference,
    Rates,
    Refusable,
    Slots,
    StandardErrors,
)
from limaflow.measures.training_seeds import FEWEST_SEEDS, mean_over_seeds
from limaflow.measures.who_judged import annotators_of, prompt_set
from limaflow.records import Response, Verdict

Judged = tuple[Preference, Sequence[Verdict]]
"""A summary with the verdicts that it is of."""


def preferences(
    verdicts: Sequence[Verdict],
    *,
    rule: Merge,
    resampling: Resampling,
    chars: Mapping[str, int] | None = None,
    comparison: str = "",
    asked: Collection[str] = (),
) -> list[Preference]:
    """One `Preference` for each pair of models and each annotator in `verdicts`.

    A pair is seen from the model that `comparison` (`{first}-vs-{second}`) names first; where it
    names none, from the first one of the first verdict.

    Raises:
        InputError: as `preference`.
    """
    groups: dict[tuple[str, frozenset[str]], list[Verdict]] = defaultdict(list)
    for verdict in verdicts:
        groups[verdict.annotator, frozenset((verdict.first, verdict.second))].append(verdict)
    summaries = []
    for group in groups.values():
        first, second = group[0].first, group[0].second
        if comparison == f"{second}-vs-{first}":
            first, second = second, first
        summaries.append(
            preference(
                group,
                first,
                second,
                rule=rule,
                resampling=resampling,
                chars=chars,
                asked=asked,
            )
        )
    return sorted(summaries, key=lambda s: (s.comparison, s.judge))


def preference(
    verdicts: Sequence[Verdict],
    first: str,
    second: str,
    *,
    rule: Merge,
    resampling: Resampling,
    chars: Mapping[str, int] | None = None,
    asked: Collection[str] = (),
) -> Preference:
    """The verdicts of one annotator on two models, seen from `first`.

    Args:
        chars: response id → length in characters, of every response judged; None if unknown.
        asked: ids of the prompts that these are drawn from; empty if unknown.

    Raises:
        InputError: no prompt has readable verdicts, one stands twice, or `chars` knows only some
            of the responses.
    """
    judge = verdicts[0].annotator
    prompts = scores_by_prompt(verdicts, first)
    if not prompts:
        raise InputError(
            f"{shortened(first)} against {shortened(second)} by '{shortened(judge)}': no prompt "
            f"has readable verdicts; {len(verdicts)} failed"
        )
    # Seeded alike from either side, so that swapping the models mirrors the intervals.
    drawn = resampling.seeded(judge, *sorted((first, second)))

    def mean(shares: Array) -> Interval:
        return drawn.share(shares, np.ones_like(shares))

    def share(parts: Array, wholes: Array) -> Interval | None:
        return drawn.share(parts, wholes) if len(wholes) else None

    win, tie, lose = np.array(rates(prompts, rule)).T
    agreeing = consistency(prompts)
    graded = shares_given(verdicts, first, prompts)
    lengths = _lengths(verdicts, chars)
    differences = _differences(verdicts, first, lengths)
    errors = sum(v.choice is None for v in verdicts)
    return Preference(
        comparison=f"{first}-vs-{second}",
        first=first,
        second=second,
        judge=judge,
        prompts=len(prompts),
        verdicts=len(verdicts),
        errors=errors,
        error_share=errors / len(verdicts),
        win=mean(win),
        tie=mean(tie),
        lose=mean(lose),
        adjusted_win=mean(win + tie / 2),
        graded_win=mean(graded) if len(graded) else None,
        standard_errors=StandardErrors(
            win=_standard_error(win),
            tie=_standard_error(tie),
            lose=_standard_error(lose),
            adjusted_win=_standard_error(win + tie / 2),
            graded_win=_standard_error(graded),
        ),
        p_value=sign_test(win - lose),
        permutation_p_value=permutation_test(win - lose, drawn.seed),
        merge=rule,
        other_merges=tuple(_rates(prompts, other) for other in MERGES if other != rule),
        position_consistency=mean(agreeing) if len(agreeing) else None,
        same_slot=Slots(
            first=float(toward_first(prompts, first).mean()),
            second=float(toward_second(prompts, first).mean()),
        )
        if len(agreeing)
        else None,
        first_slot_share=share(*first_slot(verdicts)),
        longer_wins=share(*longer_chosen(verdicts, lengths)) if lengths else None,
        length_controlled_win=_length_controlled(prompts, differences, rule, drawn),
        mean_chars=MeanChars(
            first=_mean_chars(verdicts, first, lengths),
            second=_mean_chars(verdicts, second, lengths),
        ),
        longer_by=_mean_of(_by_prompt(differences), drawn) if differences else None,
        annotators=annotators_of(verdicts),
        prompt_set=prompt_set((v.prompt_id for v in verdicts), asked),
        power=_power(win + tie / 2, resampling.confidence),
        cost=sum(v.cost for v in verdicts),
    )


def over_seeds(
    judged: Sequence[Judged], again: Mapping[str, str], resampling: Resampling
) -> list[Preference]:
    """The summaries of first training seeds; from five seeds on their rates are over all of them.

    Rates are then means over prompts and seeds, and their intervals hold both. Tests, lengths and
    positions stay those of the first seed.

    Args:
        judged: summaries, each with its verdicts.
        again: arm → the arm that it is once more, trained with another seed.
    """
    further: dict[tuple[str, str, str], list[Judged]] = defaultdict(list)
    for summary, verdicts in judged:
        if {summary.first, summary.second} & again.keys():
            first, second = (again.get(name, name) for name in (summary.first, summary.second))
            further[summary.judge, first, second].append((summary, verdicts))
    return [
        _over_all(
            [(summary, verdicts), *further[summary.judge, summary.first, summary.second]],
            resampling,
        )
        for summary, verdicts in judged
        if not {summary.first, summary.second} & again.keys()
    ]


def _over_all(seeds: Sequence[Judged], resampling: Resampling) -> Preference:
    """The summary of the first seed, with rates over all if they are enough."""
    summary = seeds[0][0]
    if len(seeds) < FEWEST_SEEDS:
        return summary
    drawn = resampling.seeded(summary.judge, *sorted((summary.first, summary.second)))
    read = [(of, verdicts, scores_by_prompt(verdicts, of.first)) for of, verdicts in seeds]
    outcomes = [dict(zip(sorted(p), rates(p, of.merge), strict=True)) for of, _, p in read]
    graded = [
        dict(zip(sorted(p), shares_given(verdicts, of.first, p).tolist(), strict=True))
        for of, verdicts, p in read
        if of.graded_win is not None
    ]

    def mean(values: Sequence[Mapping[str, float]]) -> Interval:
        return mean_over_seeds(values, 0.0, 1.0, drawn)

    def rate(win: float, tie: float, lose: float) -> Interval:
        parts = (win, tie, lose)
        return mean(
            [{p: float(np.dot(shares, parts)) for p, shares in o.items()} for o in outcomes]
        )

    return replace(
        summary,
        win=rate(1, 0, 0),
        tie=rate(0, 1, 0),
        lose=rate(0, 0, 1),
        adjusted_win=rate(1, 0.5, 0),
        graded_win=mean(graded) if len(graded) == len(seeds) else summary.graded_win,
    )


def _differences(
    verdicts: Sequence[Verdict], first: str, lengths: Mapping[str, int]
) -> dict[tuple[str, int], int]:
    """Prompt and sample → how much longer the response of `first` is; empty if not known."""
    found = {}
    for v in verdicts if lengths else ():
        longer = lengths[v.first_response_id] - lengths[v.second_response_id]
        found[v.prompt_id, v.sample] = longer if v.first == first else -longer
    return found


def _rates(prompts: Prompts, rule: Merge) -> Rates:
    win, tie, lose = np.mean(rates(prompts, rule), axis=0).tolist()
    return Rates(rule=rule, win=win, tie=tie, lose=lose)


def _standard_error(shares: Array) -> float | None:
    return float(shares.std(ddof=1) / np.sqrt(len(shares))) if len(shares) > 1 else None


def _mean_of(values: Sequence[float], resampling: Resampling) -> Interval | None:
    """None where all values are one, of whose scale nothing tells how far others may lie."""
    try:
        return resampling.interval(mean_of(np.array(values, dtype=np.float64)), len(values))
    except NotEstimable:
        return None


def _by_prompt(differences: Mapping[tuple[str, int], int]) -> list[float]:
    """Mean difference of each prompt's samples, in the order of ids."""
    samples: dict[str, list[int]] = defaultdict(list)
    for (prompt_id, _), difference in sorted(differences.items()):
        samples[prompt_id].append(difference)
    return [float(np.mean(of_prompt)) for of_prompt in samples.values()]


def _length_controlled(
    prompts: Prompts,
    differences: Mapping[tuple[str, int], int],
    rule: Merge,
    resampling: Resampling,
) -> Refusable:
    if not differences:
        return Refusable(refused="the lengths of the responses are not known")
    outcomes = []
    for prompt_id, samples in prompts.items():
        for sample, orders in samples.items():
            win, tie, _ = merged(orders.values(), rule)
            longer = differences[prompt_id, sample]
            outcomes.append(Outcome(prompt_id=prompt_id, share=win + tie / 2, longer_by=longer))
    try:
        return Refusable(interval=length_controlled_win(outcomes, resampling))
    except NotEstimable as refused:
        return Refusable(refused=str(refused))


def _power(shares: Array, confidence: float) -> Power | None:
    spread = float(shares.std(ddof=1)) if len(shares) > 1 else 0.0
    if spread == 0:
        return None
    return Power(
        power=POWER,
        difference=DIFFERENCE,
        prompts_needed=prompts_needed(spread, DIFFERENCE, confidence=confidence, power=POWER),
        detectable=detectable(spread, len(shares), confidence=confidence, power=POWER),
    )


def _lengths(verdicts: Sequence[Verdict], chars: Mapping[str, int] | None) -> dict[str, int]:
    """Length of every response judged, or nothing where none is known."""
    judged = {i for v in verdicts for i in (v.first_response_id, v.second_response_id)}
    known = {i: chars[i] for i in judged if chars and i in chars}
    if known and len(known) < len(judged):
        missing = sorted(judged - known.keys())
        raise InputError(
            f"the lengths of {len(missing)} of {len(judged)} judged responses are not known "
            f"(response {shortened(missing[0])})",
            fix="give all lengths; where --responses were made anew since, judge again",
        )
    return known


def _mean_chars(
    verdicts: Sequence[Verdict], model: str, lengths: Mapping[str, int]
) -> float | None:
    shown = {
        (v.prompt_id, v.sample): v.first_response_id if v.first == model else v.second_response_id
        for v in verdicts
    }
    return float(np.mean([lengths[i] for i in shown.values()])) if lengths else None


def lengths_in(verdicts: Iterable[Verdict]) -> dict[str, int]:
    """Response id → length, as far as the verdicts themselves say it."""
    return {
        response: length
        for v in verdicts
        for response, length in (
            (v.first_response_id, v.first_chars),
            (v.second_response_id, v.second_chars),
        )
        if length is not None
    }


def length_of(responses: Iterable[Response]) -> dict[str, int]:
    """Response id → length in characters."""
    return {response.id: len(response.text) for response in responses}
