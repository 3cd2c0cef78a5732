"""Verdicts and grades as rates with intervals: who wins, how surely, how far to trust the judge.

The unit is the prompt: orders and samples of one prompt are not independent, so they are averaged
within it before anything is resampled or tested (Field & Welsh 2007, "Bootstrapping clustered
data"). Plain functions over records, whoever made them.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from limaflow.errors import InputError
from limaflow.intervals import Interval, bootstrap_mean
from limaflow.judging.merging import (
    consistency,
    first_slot_share,
    longer_wins,
    rates,
    scores_by_prompt,
    sign_test,
)
from limaflow.records import Grade, Response, Verdict
from limaflow.seeds import seed_for
from limaflow.summaries import GradeSummary, MeanChars, Merge, Preference, Rates

SCALES: dict[str, range] = {"likert-6": range(1, 7)}


@dataclass(frozen=True, kw_only=True)
class Resampling:
    """How intervals are made."""

    rounds: int
    confidence: float
    seed: int

    def interval(self, values: Sequence[float], *ids: str) -> Interval:
        """Mean of one value a prompt; equal `ids` draw equal resamples."""
        return bootstrap_mean(
            np.array(values, dtype=np.float64),
            rounds=self.rounds,
            confidence=self.confidence,
            seed=seed_for(self.seed, "bootstrap", *ids),
        )


def preferences(
    verdicts: Sequence[Verdict],
    *,
    rule: Merge,
    resampling: Resampling,
    chars: Mapping[str, int] | None = None,
    comparison: str = "",
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
            preference(group, first, second, rule=rule, resampling=resampling, chars=chars)
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
) -> Preference:
    """The verdicts of one annotator on two models, seen from `first`.

    Args:
        chars: response id → length in characters, of every response judged; None if unknown.

    Raises:
        InputError: no prompt has readable verdicts, one stands twice, or `chars` knows only some
            of the responses.
    """
    judge = verdicts[0].annotator
    prompts = scores_by_prompt(verdicts, first)
    if not prompts:
        raise InputError(f"{first} against {second} by '{judge}': no prompt has readable verdicts")
    # Seeded alike from either side, so that swapping the models mirrors the intervals.
    ids = (judge, *sorted((first, second)))

    def interval(values: Sequence[float]) -> Interval:
        return resampling.interval(values, *ids)

    merged_rates = rates(prompts, rule)
    win, tie, lose = zip(*merged_rates, strict=True)
    other: Merge = "mean" if rule == "strict" else "strict"
    other_win, other_tie, other_lose = np.mean(rates(prompts, other), axis=0).tolist()
    agreeing = consistency(prompts)
    lengths = _lengths(verdicts, chars)
    errors = sum(v.choice is None for v in verdicts)
    return Preference(
        comparison=f"{first}-vs-{second}",
        first=first,
        second=second,
        judge=judge,
        prompts=len(prompts),
        errors=errors,
        error_share=errors / len(verdicts),
        win=interval(win),
        tie=interval(tie),
        lose=interval(lose),
        adjusted_win=interval([w + t / 2 for w, t, _ in merged_rates]),
        p_value=sign_test(prompts, rule),
        merge=rule,
        other_merge=Rates(rule=other, win=other_win, tie=other_tie, lose=other_lose),
        position_consistency=interval(agreeing) if agreeing else None,
        first_slot_share=first_slot_share(verdicts),
        longer_wins=longer_wins(verdicts, lengths) if lengths else None,
        mean_chars=MeanChars(
            first=_mean_chars(verdicts, first, lengths),
            second=_mean_chars(verdicts, second, lengths),
        ),
        cost=sum(v.cost for v in verdicts),
    )


def _lengths(verdicts: Sequence[Verdict], chars: Mapping[str, int] | None) -> dict[str, int]:
    """Length of every response judged, or nothing where none is known."""
    judged = {i for v in verdicts for i in (v.first_response_id, v.second_response_id)}
    known = {i: chars[i] for i in judged if chars and i in chars}
    if known and len(known) < len(judged):
        missing = sorted(judged - known.keys())
        raise InputError(
            f"{len(missing)} of {len(judged)} judged responses are not in the files of --responses "
            f"(response {missing[0]})",
            fix="the verdicts are of other responses; judge again",
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


def length_of(responses: Iterable[Response]) -> dict[str, int]:
    """Response id → length in characters."""
    return {response.id: len(response.text) for response in responses}


def grade_summaries(grades: Sequence[Grade], resampling: Resampling) -> list[GradeSummary]:
    """One summary for each model, judge and scale; samples are averaged within their prompt.

    Raises:
        InputError: a model has no readable grade.
    """
    groups: dict[tuple[str, str, str], list[Grade]] = defaultdict(list)
    for grade in grades:
        groups[grade.model, grade.annotator, grade.scale].append(grade)
    return [_grade_summary(group, resampling) for _, group in sorted(groups.items())]


def _grade_summary(grades: Sequence[Grade], resampling: Resampling) -> GradeSummary:
    model, judge, scale = grades[0].model, grades[0].annotator, grades[0].scale
    values: dict[str, list[int]] = defaultdict(list)
    for grade in grades:
        if grade.value is not None:
            values[grade.prompt_id].append(grade.value)
    if not values:
        raise InputError(f"'{model}' has no readable grade of '{judge}'")
    counts = Counter(value for of_prompt in values.values() for value in of_prompt)
    means = [float(np.mean(of_prompt)) for _, of_prompt in sorted(values.items())]
    return GradeSummary(
        model=model,
        judge=judge,
        scale=scale,
        prompts=len(values),
        errors=sum(grade.value is None for grade in grades),
        mean=resampling.interval(means, judge, model, scale),
        counts={str(level): counts[level] for level in SCALES.get(scale, sorted(counts))},
    )
