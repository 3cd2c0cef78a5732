"""What a claim may be about: each quantity is one function that gives measured intervals.

A function takes the evidence and the entry's `measure`, and returns nothing where nothing of the
kind was measured; `QUANTITIES` names it with the words for its numbers and the keys that it takes.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from limaflow.analysis.claim_entries import Measure
from limaflow.analysis.evidence import Evidence
from limaflow.analysis.grades import grade_gaps, grade_shares
from limaflow.errors import InputError
from limaflow.intervals import Interval
from limaflow.measures.summaries import Preference, TaskTax, mirrored
from limaflow.mistakes import nearest
from limaflow.records import Grade


class NotMeasured(Exception):
    """Why a quantity has no value here, where it is another reason than the claim's `missing`."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """One interval, and the names that its label may use."""

    names: Mapping[str, object]
    interval: Interval


@dataclass(frozen=True, kw_only=True)
class Quantity:
    """How a quantity is measured; `label` is the text beside each of its numbers."""

    measure: Callable[[Evidence, Measure], list[Found]]
    label: str
    takes: tuple[str, ...] = ()
    """The keys of an entry that say of whom or what."""


def wins_over(evidence: Evidence, measure: Measure) -> list[Found]:
    """Wins + ½ ties of the LIMA arm over each of the arms."""
    return [
        Found(names=_names(p), interval=p.adjusted_win) for p in _comparisons(evidence, measure)
    ]


def not_losing_to(evidence: Evidence, measure: Measure) -> list[Found]:
    """Wins + ties of the LIMA arm against each of the arms."""
    return [
        Found(names=_names(p), interval=mirrored(p.lose)) for p in _comparisons(evidence, measure)
    ]


def same_verdict_in_both_orders(evidence: Evidence, measure: Measure) -> list[Found]:
    """Share of pairs on which the verdict stays when the two responses swap places."""
    return [
        Found(names={"comparison": p.comparison, "judge": p.judge}, interval=p.position_consistency)
        for p in evidence.preferences
        if p.position_consistency is not None
    ]


def agreement_with_people(evidence: Evidence, measure: Measure) -> list[Found]:
    """Tie-discounted accuracy of people with models, minus that among people."""
    return [
        Found(
            names={
                "first": row.first,
                "second": row.second,
                "accuracy": row.tie_discounted.estimate,
                "items": row.items,
            },
            interval=row.minus_first,
        )
        for row in evidence.agreements
        if (row.relation, row.first, row.second) == ("between", "people", "models")
        and row.minus_first is not None
    ]


def grade_difference(evidence: Evidence, measure: Measure) -> list[Found]:
    """Mean grade of the LIMA arm minus that of each of the arms, by judge."""
    others = arms_of(evidence, measure)
    grades = _grades(evidence, measure)
    levels = [
        int(value)
        for summary in evidence.graded
        if summary.instrument == measure.instrument
        for value in summary.words
    ]
    if not levels:
        return []
    gaps = grade_gaps(
        grades,
        evidence.lima,
        span=max(levels) - min(levels),
        rounds=evidence.rounds,
        confidence=evidence.confidence,
        seed=evidence.seed,
    )
    return [
        Found(
            names={
                "lima": evidence.lima,
                "arm": gap.arm,
                "judge": gap.judge,
                "prompts": gap.prompts,
            },
            interval=gap.difference,
        )
        for gap in gaps
        if gap.arm in others
    ]


def grade_share(evidence: Evidence, measure: Measure) -> list[Found]:
    """Share of an arm's responses that are graded with the word; of the LIMA arm by default."""
    return _shares(evidence, measure, or_better=False)


def grade_share_or_better(evidence: Evidence, measure: Measure) -> list[Found]:
    """Share of an arm's responses that are graded with the word or one of a higher value."""
    return _shares(evidence, measure, or_better=True)


def tax_difference(evidence: Evidence, measure: Measure) -> list[Found]:
    """Benchmark scores after tuning minus before, so that a loss is negative; of the LIMA arm by
    default, and of every task. They are shares of the metric's scale, so that one margin holds
    for a scale from 0 to 1 and for one from 0 to 100.

    Raises:
        NotMeasured: no task has both a known scale and items that can be paired.
    """
    arms = arms_of(evidence, measure) or [evidence.lima]
    rows = [
        row
        for row in evidence.tax
        if row.arm in arms and measure.task in (None, row.task) and not row.further_format
    ]
    found = [one for row in rows if (one := _tax_found(row))]
    if rows and not found:
        tasks = ", ".join(dict.fromkeys(row.task for row in rows))
        raise NotMeasured(f"no known scale, or no pairs of items: {tasks}")
    return found


def _tax_found(row: TaskTax) -> Found | None:
    if row.difference is None or row.span is None:
        return None
    notes = [row.metric]
    notes += [] if row.higher_is_better else ["lower is better"]
    notes += [] if row.span == 1 else [f"share of its {row.span:g} points"]
    return Found(
        names={
            "task": row.task,
            "arm": row.arm,
            "items": row.items,
            "metric": ", ".join(notes),
            "difference": "tuned minus base" if row.higher_is_better else "base minus tuned",
        },
        interval=row.difference.over(row.span),
    )


def gain_after_lowest_perplexity(evidence: Evidence, measure: Measure) -> list[Found]:
    """Mean dev grade after the last judged epoch minus after that of the lowest perplexity.

    Raises:
        NotMeasured: the two are one epoch.
    """
    found = evidence.after_lowest
    if found is None:
        return []
    if found.lowest >= found.last:
        raise NotMeasured("perplexity is lowest at the last judged epoch")
    return [
        Found(
            names={
                "last": found.last,
                "lowest": found.lowest,
                "prompts": found.prompts,
                "epochs": found.epochs,
                "correlation": found.correlation,
            },
            interval=found.difference,
        )
    ]


QUANTITIES: dict[str, Quantity] = {
    "wins_over": Quantity(
        measure=wins_over,
        label="wins + ½ ties against {arm}, judge {judge}, {prompts} prompts",
        takes=("role", "arms"),
    ),
    "not_losing_to": Quantity(
        measure=not_losing_to,
        label="wins + ties against {arm}, judge {judge}, {prompts} prompts",
        takes=("role", "arms"),
    ),
    "same_verdict_in_both_orders": Quantity(
        measure=same_verdict_in_both_orders,
        label="same verdict in both orders, {comparison}, judge {judge}",
    ),
    "agreement_with_people": Quantity(
        measure=agreement_with_people,
        label="tie-discounted accuracy of {first} with {second} ({accuracy:.2f}) minus that among "
        "{first}, {items} items",
    ),
    "grade_difference": Quantity(
        measure=grade_difference,
        label="grade of {lima} minus {arm}, judge {judge}, {prompts} prompts",
        takes=("role", "arms", "instrument"),
    ),
    "grade_share": Quantity(
        measure=grade_share,
        label="share of {word} answers, judge {judge}, {prompts} prompts",
        takes=("arms", "instrument", "word"),
    ),
    "grade_share_or_better": Quantity(
        measure=grade_share_or_better,
        label="share of {word} or better answers, judge {judge}, {prompts} prompts",
        takes=("arms", "instrument", "word"),
    ),
    "tax_difference": Quantity(
        measure=tax_difference,
        label="{task} ({metric}), {difference}",
        takes=("arms", "task"),
    ),
    "gain_after_lowest_perplexity": Quantity(
        measure=gain_after_lowest_perplexity,
        label="grade after epoch {last} minus after epoch {lowest}, where perplexity is lowest, "
        "{prompts} prompts; rank correlation of perplexity and grade over {epochs} epochs "
        "{correlation:+.2f}",
    ),
}


def arms_of(evidence: Evidence, measure: Measure) -> list[str]:
    """The arms that an entry is about, by role or by name."""
    by_role = evidence.roles.get(measure.role, ()) if measure.role else ()
    return [*by_role, *measure.arms]


def _comparisons(evidence: Evidence, measure: Measure) -> list[Preference]:
    """Comparisons of the LIMA arm with the arms of an entry, from its own view."""
    return [
        preference.seen_from(evidence.lima)
        for preference in evidence.preferences
        for other in arms_of(evidence, measure)
        if {preference.first, preference.second} == {evidence.lima, other}
    ]


def _names(seen: Preference) -> dict[str, object]:
    return {"arm": seen.second, "judge": seen.judge, "prompts": seen.prompts}


def _grades(evidence: Evidence, measure: Measure) -> Sequence[Grade]:
    """The grades by an entry's instrument."""
    if measure.instrument is None:
        raise InputError(f"{measure.quantity} needs an instrument")
    return [grade for grade in evidence.grades if grade.instrument == measure.instrument]


def _shares(evidence: Evidence, measure: Measure, *, or_better: bool) -> list[Found]:
    grades = _grades(evidence, measure)
    summaries = [s for s in evidence.graded if s.instrument == measure.instrument]
    if not (grades and summaries):
        return []
    words = summaries[0].words
    values = {word: int(value) for value, word in words.items()}
    if measure.word not in values:
        raise InputError(
            f"'{measure.word}' is no word of {measure.instrument}"
            f"{nearest(measure.word or '', list(values))}"
        )
    return [
        Found(
            names={
                "word": measure.word,
                "arm": arm,
                "judge": share.judge,
                "prompts": share.prompts,
            },
            interval=share.interval,
        )
        for arm in arms_of(evidence, measure) or [evidence.lima]
        for share in grade_shares(
            [grade for grade in grades if grade.model == arm],
            values[measure.word],
            or_better=or_better,
            rounds=evidence.rounds,
            confidence=evidence.confidence,
            seed=evidence.seed,
        )
    ]
