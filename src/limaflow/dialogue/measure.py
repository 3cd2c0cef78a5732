"""How well arms hold their dialogues: turn by turn, and up to the first failure.

Units are dialogues: turns of one share its weight in every interval. What is counted:

- Shares of the instrument's words over all turns (Zhou et al. 2023, Figure 7) and by turn.
- Survival: the first turn that is graded as a failure; a dialogue without one is censored at its
  last turn (Kaplan & Meier 1958; arms compared by the logrank test, Mantel 1966, scipy's). The
  test takes the arms' dialogues as independent; where scripts are shared it is too careful.
- Words of an answer by turn, and how many more than in the same dialogue's first.
- Repetition: the share of an answer's runs of four words that stand in one of the arm's earlier
  answers of that dialogue; of a shorter answer the whole.
- Forgetting: of dialogues whose first turn asks a form of every answer, the share of answers that
  have it, by rule and strictly (`format_checks`).
"""

import warnings
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from math import isnan

import numpy as np

from limaflow.dialogue.turns import place_of
from limaflow.errors import InputError, listed
from limaflow.format_checks.checking import has_form
from limaflow.format_checks.rule import NotCheckable
from limaflow.intervals import Array, Interval, NotEstimable, Resampling, mean_of
from limaflow.measures.summaries import Annotators
from limaflow.measures.who_judged import annotators_of
from limaflow.records import Example, Grade, Response

RUN_WORDS = 4
"""Words in a run of which repetition is counted."""
FEWEST_FOR_TEST = 100
"""Dialogues of each arm below which survival is shown and not tested: with ten, a test that finds
nothing says nothing."""


@dataclass(frozen=True, kw_only=True)
class TurnSummary:
    """The turns of one number."""

    turn: int
    dialogues: int
    words: Interval | None
    """Mean words of an answer; None where resamples do not differ."""
    more_words: Interval | None
    """Than in the first answer of the same dialogue; None of the first turn."""
    repeated: Interval | None
    """Mean share of an answer that repeats an earlier one; None of the first turn."""
    empty: int
    """Answers without a word."""
    cut: int
    """Answers that the limit of length cut off."""
    shares: Mapping[str, Interval] = field(default_factory=dict)
    """Word of the instrument → share; empty where nobody graded."""
    constrained: int = 0
    """Dialogues whose first turn asks a form of every answer, and can be checked."""
    kept: Interval | None = None
    """Share of their answers that have it; None where there are none."""


@dataclass(frozen=True, kw_only=True)
class Survival:
    """Share of dialogues without a failure up to and with a turn."""

    turn: int
    at_risk: int
    """Dialogues that had not failed before and were held so far."""
    failed: int
    share: float
    low: float | None
    """Of the confidence interval (log-log); None where there is none, as at 0 and 1."""
    high: float | None


@dataclass(frozen=True, kw_only=True)
class DialogueSummary:
    """All dialogues of one arm, as one annotator graded them."""

    arm: str
    annotator: str
    """"" where nobody graded."""
    dialogues: int
    turns: int
    ended_early: int
    """Dialogues for whose next turn the context had no room."""
    by_turn: tuple[TurnSummary, ...]
    shares: Mapping[str, Interval] = field(default_factory=dict)
    """Word of the instrument → share of all turns."""
    survival: tuple[Survival, ...] = ()
    annotators: Annotators | None = None
    """Who graded; None where nobody did."""
    kept_later: Interval | None = None
    """Of dialogues with a form: share of all answers after the first that have it."""


@dataclass(frozen=True, kw_only=True)
class Contrast:
    """Two arms that held the same dialogues: the first minus the second."""

    first: str
    second: str
    annotator: str
    dialogues: int
    shares: Mapping[str, Interval]
    """Word of the instrument → difference of shares."""
    better: Interval
    """Share of dialogues whose mean grade is higher, minus the share whose is lower."""
    annotators: Annotators
    logrank_p: float | None
    """Two-sided; None with fewer than `FEWEST_FOR_TEST` dialogues of each, or without a failure."""


@dataclass(frozen=True, kw_only=True)
class Dialogues:
    """What is measured of all arms."""

    instrument: str
    words: tuple[str, ...]
    """Of the instrument; the failure is `failure`."""
    failure: str
    arms: tuple[DialogueSummary, ...]
    contrasts: tuple[Contrast, ...]


@dataclass(frozen=True, kw_only=True)
class ArmDialogues:
    """What one arm said, and what it was graded."""

    arm: str
    answers: Mapping[str, Sequence[Response]]
    """Script → its answers, in order."""
    grades: Mapping[str, Mapping[str, Sequence[int]]]
    """Annotator → script → the value of each answer."""
    annotators: Mapping[str, Annotators] = field(default_factory=dict)
    """Annotator → who that is."""
    ended_early: int = 0
    kept: Mapping[str, Sequence[bool]] = field(default_factory=dict)
    """Script whose first turn asks for a form → whether each answer has it."""


def arm_dialogues(
    responses: Sequence[Response],
    grades: Sequence[Grade],
    cut: Mapping[str, int],
    prompts: Sequence[Example] = (),
) -> ArmDialogues:
    """The turns of one arm in order, with their grades.

    Args:
        responses: of the arm.
        grades: of these.
        cut: script → the turn for which there was no room.
        prompts: of the turns, which say what form is asked for; without, none is checked.

    Raises:
        InputError: there are none, they are of several arms, or an annotator who graded some of
            the turns left out others.
    """
    arms = sorted({response.model for response in responses})
    if len(arms) != 1:
        raise InputError(f"turns of one arm are needed, and these are of {listed(arms) or 'none'}")
    answers: dict[str, dict[int, Response]] = defaultdict(dict)
    for response in responses:
        script, turn = place_of(response.prompt_id)
        answers[script][turn] = response
    ordered = {script: [turns[k] for k in sorted(turns)] for script, turns in answers.items()}
    values: dict[str, dict[str, int]] = defaultdict(dict)
    for grade in grades:
        if grade.value is not None:
            values[grade.annotator][grade.response_id] = grade.value
    asked = {grade.annotator for grade in grades}
    return ArmDialogues(
        arm=arms[0],
        answers=ordered,
        grades={
            annotator: {
                script: _values(turns, values[annotator], annotator)
                for script, turns in ordered.items()
            }
            for annotator in sorted(asked)
        },
        annotators={
            annotator: annotators_of([g for g in grades if g.annotator == annotator])
            for annotator in asked
        },
        ended_early=len(cut),
        kept=_kept(ordered, {prompt.id: prompt for prompt in prompts}),
    )


def _kept(
    answers: Mapping[str, Sequence[Response]], prompts: Mapping[str, Example]
) -> dict[str, list[bool]]:
    found = {}
    for script, turns in answers.items():
        tags = [prompts[t.prompt_id].tags if t.prompt_id in prompts else None for t in turns]
        rules = [of.format for of in tags if of is not None and of.format]
        if not rules:
            continue
        if len(rules) < len(turns):
            raise InputError(f"{script}: some turns state the form of the dialogue, others do not")
        try:
            found[script] = [
                all(has_form(turn.text, rule)[0] for rule in asked)
                for turn, asked in zip(turns, rules, strict=True)
            ]
        except NotCheckable as error:
            raise InputError(f"{script}: its form cannot be checked: {error}") from None
    return found


def _values(turns: Sequence[Response], values: Mapping[str, int], annotator: str) -> list[int]:
    missing = [turn.prompt_id for turn in turns if turn.id not in values]
    if missing:
        raise InputError(
            f"{annotator} gave no grade to {listed(missing)}",
            fix="a dialogue of which a turn is not graded has no first failure; grade it again",
        )
    return [values[turn.id] for turn in turns]


def measured(
    arms: Sequence[ArmDialogues],
    words: Mapping[str, int],
    instrument: str,
    resampling: Resampling,
) -> Dialogues:
    """Summaries of all arms and contrasts of all pairs, in the order in which the arms are given.

    Args:
        words: of the instrument → its value; the lowest is a failure.
    """
    failure = min(words, key=lambda word: words[word])
    return Dialogues(
        instrument=instrument,
        words=tuple(words),
        failure=failure,
        arms=tuple(
            _summary(arm, annotator, words, resampling)
            for arm in arms
            for annotator in (sorted(arm.grades) or [""])
        ),
        contrasts=tuple(
            _contrast(first, second, annotator, words, resampling)
            for first, second in combinations(arms, 2)
            for annotator in sorted(first.grades.keys() & second.grades.keys())
        ),
    )


def _summary(
    arm: ArmDialogues, annotator: str, words: Mapping[str, int], resampling: Resampling
) -> DialogueSummary:
    grades = arm.grades.get(annotator, {})
    longest = max(map(len, arm.answers.values()))
    own = resampling.seeded("dialogues", arm.arm, annotator)
    return DialogueSummary(
        arm=arm.arm,
        annotator=annotator,
        dialogues=len(arm.answers),
        turns=sum(map(len, arm.answers.values())),
        ended_early=arm.ended_early,
        by_turn=tuple(_turn(arm, grades, turn, words, own) for turn in range(1, longest + 1)),
        shares={word: own.share(*_counts(grades, value)) for word, value in words.items()}
        if grades
        else {},
        survival=_survival(grades, min(words.values()), longest, resampling.confidence)
        if grades
        else (),
        annotators=arm.annotators.get(annotator),
        kept_later=_kept_later(arm.kept, own.seeded("kept")),
    )


def _kept_later(kept: Mapping[str, Sequence[bool]], own: Resampling) -> Interval | None:
    later = [kept[script][1:] for script in sorted(kept) if len(kept[script]) > 1]
    if not later:
        return None
    parts = np.array([float(sum(of)) for of in later])
    return own.share(parts, np.array([float(len(of)) for of in later]))


def _counts(grades: Mapping[str, Sequence[int]], value: int) -> tuple[Array, Array]:
    """Turns of that value, and all turns, of each dialogue."""
    parts = [float(sum(v == value for v in grades[script])) for script in sorted(grades)]
    return np.array(parts), np.array([float(len(grades[script])) for script in sorted(grades)])


def _turn(
    arm: ArmDialogues,
    grades: Mapping[str, Sequence[int]],
    turn: int,
    words: Mapping[str, int],
    resampling: Resampling,
) -> TurnSummary:
    held = [arm.answers[s] for s in sorted(arm.answers) if len(arm.answers[s]) >= turn]
    lengths = np.array([len(answers[turn - 1].text.split()) for answers in held], dtype=float)
    first = np.array([len(answers[0].text.split()) for answers in held], dtype=float)
    own = resampling.seeded("turn", str(turn))
    values = np.array([grades[s][turn - 1] for s in sorted(grades) if len(grades[s]) >= turn])
    ones = np.ones(len(values))
    kept = [arm.kept[s][turn - 1] for s in sorted(arm.kept) if len(arm.kept[s]) >= turn]
    return TurnSummary(
        turn=turn,
        dialogues=len(held),
        words=_mean(lengths, own),
        more_words=_mean(lengths - first, own) if turn > 1 else None,
        repeated=own.mean(
            np.array([repeated_share([a.text for a in answers[:turn]]) for answers in held]), 0, 1
        )
        if turn > 1
        else None,
        empty=int((lengths == 0).sum()),
        cut=sum(answers[turn - 1].finish_reason == "length" for answers in held),
        shares={
            word: own.share((values == value).astype(float), ones) for word, value in words.items()
        }
        if len(values)
        else {},
        constrained=len(kept),
        kept=own.seeded("kept").share(np.array(kept, dtype=float), np.ones(len(kept)))
        if kept
        else None,
    )


def _mean(values: Array, own: Resampling) -> Interval | None:
    try:
        return own.interval(mean_of(values), len(values))
    except NotEstimable:
        return None


def repeated_share(answers: Sequence[str]) -> float:
    """The share of the last answer's runs of words that stand in one of those before it."""
    *before, last = (answer.split() for answer in answers)
    size = min(RUN_WORDS, len(last))
    if not size:
        return 0.0
    earlier = {run for words in before for run in _runs(words, size)}
    runs = _runs(last, size)
    return sum(run in earlier for run in runs) / len(runs)


def _runs(words: Sequence[str], size: int) -> list[tuple[str, ...]]:
    return [tuple(words[n : n + size]) for n in range(len(words) - size + 1)]


def _failures(grades: Mapping[str, Sequence[int]], failure: int) -> tuple[list[int], list[int]]:
    """Turn of the first failure of the dialogues that have one; last turn of the others."""
    failed, held = [], []
    for values in grades.values():
        if failure in values:
            failed.append(list(values).index(failure) + 1)
        else:
            held.append(len(values))
    return failed, held


def _survival(
    grades: Mapping[str, Sequence[int]], failure: int, longest: int, confidence: float
) -> tuple[Survival, ...]:
    from scipy.stats import CensoredData, ecdf

    failed, held = _failures(grades, failure)
    curve = ecdf(CensoredData(uncensored=failed, right=held)).sf
    with warnings.catch_warnings():
        # There is none where no dialogue has failed yet, or all have.
        warnings.simplefilter("ignore", RuntimeWarning)
        ends = curve.confidence_interval(confidence_level=confidence, method="log-log")
    found = []
    for turn in range(1, longest + 1):
        low, high = float(ends.low.evaluate(turn)), float(ends.high.evaluate(turn))
        found.append(
            Survival(
                turn=turn,
                at_risk=sum(t >= turn for t in [*failed, *held]),
                failed=failed.count(turn),
                share=float(curve.evaluate(turn)),
                low=None if isnan(low) else low,
                high=None if isnan(high) else high,
            )
        )
    return tuple(found)


def _contrast(
    first: ArmDialogues,
    second: ArmDialogues,
    annotator: str,
    words: Mapping[str, int],
    resampling: Resampling,
) -> Contrast:
    ours, theirs = first.grades[annotator], second.grades[annotator]
    shared = sorted(ours.keys() & theirs.keys())
    if not shared:
        raise InputError(f"{first.arm} and {second.arm} held no dialogue in common")
    ours = {script: ours[script] for script in shared}
    theirs = {script: theirs[script] for script in shared}
    own = resampling.seeded("dialogues", first.arm, second.arm, annotator)
    return Contrast(
        first=first.arm,
        second=second.arm,
        annotator=annotator,
        dialogues=len(shared),
        shares={
            word: own.difference_of_shares(*_counts(ours, value), *_counts(theirs, value))
            for word, value in words.items()
        },
        better=own.mean(
            np.array([np.sign(np.mean(ours[s]) - np.mean(theirs[s])) for s in shared]), -1, 1
        ),
        annotators=first.annotators[annotator],
        logrank_p=_logrank(ours, theirs, min(words.values())),
    )


def _logrank(
    ours: Mapping[str, Sequence[int]], theirs: Mapping[str, Sequence[int]], failure: int
) -> float | None:
    from scipy.stats import CensoredData, logrank

    if min(len(ours), len(theirs)) < FEWEST_FOR_TEST:
        return None
    both = [_failures(grades, failure) for grades in (ours, theirs)]
    if not any(failed for failed, _ in both):
        return None
    x, y = (CensoredData(uncensored=failed, right=held) for failed, held in both)
    return float(logrank(x, y).pvalue)
