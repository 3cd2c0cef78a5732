"""What a claim may be about: each quantity is one function that gives measured intervals.

A function takes the evidence and the entry's `measure`, and returns nothing where nothing of the
kind was measured; `QUANTITIES` names it with the words for its numbers, the keys that it takes and
the least that it is decided on. It says of each number who judged, on what and about which arms;
whether that fits the claim is seen elsewhere (`binding`), as is what limits it (`flags`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import Any

from limaflow.analysis.arm_facts import ArmFacts
from limaflow.analysis.claim_entries import Measure, Smallest
from limaflow.analysis.decision_rules import equivalent, largest_loss, times_as_many
from limaflow.analysis.evidence import Evidence
from limaflow.analysis.gain import shares_of_gain
from limaflow.analysis.grades import grade_gaps, grade_shares
from limaflow.dialogue.measure import Contrast
from limaflow.errors import InputError
from limaflow.intervals import Interval, Resampling, mean_of_independent
from limaflow.measures.summaries import Annotators, Preference, TaskTax, mirrored, negated
from limaflow.measures.who_judged import annotators_of, prompt_set
from limaflow.mistakes import nearest
from limaflow.records import Grade
from limaflow.refusals.resistance import ATTACKS, PLAIN, Difference
from limaflow.refusals.safety import HARMLESS, SENSITIVE, DoseGap, SafetyShare, What
from limaflow.token_shift.summaries import ShiftedStyle

SAFELY: What = "answered safely"
HANDFUL = 13
"""Refusals among the paper's training examples (its section 2)."""


class NotMeasured(Exception):
    """Why a quantity has no value here, where it is another reason than the claim's `missing`."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """One interval, the names that its label may use, and what it rests on."""

    names: Mapping[str, object]
    interval: Interval
    arms: tuple[str, ...] = ()
    """Whose answers or scores these are."""
    judge: str = ""
    annotators: Annotators | None = None
    """None of what nobody judged, such as benchmark scores."""
    instrument: str = ""
    """Of grades; empty of verdicts on pairs."""
    prompts: int | None = None
    prompt_set: str = ""
    items: int | None = None
    tasks: tuple[TaskTax, ...] = ()
    """The benchmark tasks that it is of."""
    loss_p_value: float | None = None
    """One-sided, of a test for a loss; of benchmark tasks only."""
    alone: bool = False
    """Of one thing where the quantity is about several, so that it supports nothing."""
    misfit: str = ""
    """Why it is not about what the claim is about, where the quantity itself knows."""


@dataclass(frozen=True, kw_only=True)
class Quantity:
    """How a quantity is measured; `label` is the text beside each of its numbers."""

    measure: Callable[[Evidence, Measure], list[Found]]
    label: str
    smallest: tuple[Smallest, ...]
    joins_tasks: bool = False
    """Whether it joins benchmark tasks, so that flags of single tasks are to be heeded before."""
    takes: tuple[str, ...] = ()
    """The keys of an entry that say of whom or what."""


SHOWN_TO_COVER = Smallest(
    prompts=30, reason="the intervals are shown to cover from 30 prompts on (docs/statistics.md)"
)
SEVERAL = Smallest(people=2, reason="one person's taste is not that of people")
AGREEING = Smallest(
    people=3, reason="two people and a model are the fewest whose agreement can be compared"
)
TASK = Smallest(
    items=183,
    reason="with fewer items, a loss of 2 points is not excluded even if no answer changes "
    "(0.98 to the power of 182 is above 2.5 %)",
)

TAUGHT = Smallest(
    items=72,
    reason="with fewer items, a gain of 5 points is not excluded even if no answer changes "
    "(0.95 to the power of 72 is 2.5 %)",
)
ENOUGH_SHIFTED = Smallest(
    items=100, reason="a share of fewer shifted tokens is that of a few words"
)
ENOUGH_GOALS = Smallest(
    items=30, reason="attacks with one goal are one item, and intervals cover from 30 on"
)
ANY_NUMBER = Smallest(reason="a paired test keeps its level on any number of items")


def wins_over(evidence: Evidence, measure: Measure) -> list[Found]:
    """Wins + ½ ties of the LIMA arm over each of the arms."""
    return [_compared(p, p.adjusted_win, evidence) for p in _comparisons(evidence, measure)] + [
        _by_name_alone(p, p.adjusted_win, evidence) for p in _namesakes(evidence, measure)
    ]


def wins_of(evidence: Evidence, measure: Measure) -> list[Found]:
    """Wins + ½ ties of each of the arms over the LIMA arm."""
    return [
        _named(_compared(p, mirrored(p.adjusted_win), evidence), lima=evidence.lima)
        for p in _comparisons(evidence, measure)
    ]


def gain_kept(evidence: Evidence, measure: Measure) -> list[Found]:
    """Wins + ½ ties of each of the arms over the LIMA arm minus ½, so that a loss is negative.

    Raises:
        NotMeasured: no judge finds the LIMA arm better than a base, so that there is no gain.
    """
    bases = evidence.roles.get("base", ())
    gained = {p.judge for p in _against(evidence, bases) if p.adjusted_win.low > 1 / 2}
    found = [
        replace(one, interval=_minus(one.interval, 1 / 2))
        for one in wins_of(evidence, measure)
        if one.judge in gained
    ]
    if not found and _comparisons(evidence, measure):
        raise NotMeasured(f"no sure gain of {evidence.lima} over the base that could be kept")
    return found


def not_losing_to(evidence: Evidence, measure: Measure) -> list[Found]:
    """Wins + ties of the LIMA arm against each of the arms."""
    return [_compared(p, mirrored(p.lose), evidence) for p in _comparisons(evidence, measure)] + [
        _by_name_alone(p, mirrored(p.lose), evidence) for p in _namesakes(evidence, measure)
    ]


def same_verdict_in_both_orders(evidence: Evidence, measure: Measure) -> list[Found]:
    """Share of pairs on which the verdict stays when the two responses swap places."""
    return [
        replace(
            _compared(p, p.position_consistency, evidence),
            names={"comparison": p.comparison, "judge": p.judge},
            # It is about the judge, whatever the arms are worth.
            arms=(),
        )
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
            prompts=row.prompts,
            annotators=Annotators(
                kind="simulated" if evidence.miniature else "person", number=row.annotators
            ),
        )
        for row in evidence.agreements
        if (row.relation, row.first, row.second) == ("between", "people", "models")
        and row.minus_first is not None
    ]


def grade_difference(evidence: Evidence, measure: Measure) -> list[Found]:
    """Mean grade of the LIMA arm minus that of each of the arms, by judge."""
    others = arms_of(evidence, measure)
    grades = _grades(evidence, measure)
    by_judge = _by_judge(grades)
    span = _span(evidence, measure)
    if span is None:
        return []
    gaps = grade_gaps(
        grades,
        evidence.lima,
        span=span,
        rounds=evidence.rounds,
        confidence=evidence.confidence,
        seed=evidence.seed,
        again=evidence.trained_again,
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
            arms=(evidence.lima, gap.arm),
            prompts=gap.prompts,
            **_graded(by_judge[gap.judge], evidence),
        )
        for gap in gaps
        if gap.arm in others
    ]


def share_of_gain(evidence: Evidence, measure: Measure) -> list[Found]:
    """What part of the LIMA arm's gain in grade over the base each of the arms reaches.

    Raises:
        NotMeasured: no base answers, or its gain is not surely above 0.
    """
    arms = [arm for arm in arms_of(evidence, measure) if _is_small_enough(arm, measure, evidence)]
    grades = _grades(evidence, measure)
    span = _span(evidence, measure)
    base = next(iter(evidence.roles.get("base", ())), None)
    if not arms or not grades or span is None:
        return []
    if base is None:
        raise NotMeasured("no arm is the base as it is, so that there is no gain to share")
    by_judge = _by_judge(grades)
    shares = shares_of_gain(
        grades,
        lima=evidence.lima,
        base=base,
        arms=arms,
        span=span,
        resampling=Resampling(
            rounds=evidence.rounds, confidence=evidence.confidence, seed=evidence.seed
        ),
    )
    if shares and all(row.share is None for row in shares):
        raise NotMeasured("; ".join(dict.fromkeys(row.refused for row in shares)))
    return [
        Found(
            names={
                "arm": row.arm,
                "lima": evidence.lima,
                "gain": row.gain.estimate,
                "judge": row.judge,
                "prompts": row.prompts,
                "size": _size(row.arm, evidence),
            },
            interval=row.share,
            arms=(evidence.lima, row.arm, base),
            prompts=row.prompts,
            **_graded(by_judge[row.judge], evidence),
        )
        for row in shares
        if row.share is not None
    ]


def _is_small_enough(arm: str, measure: Measure, evidence: Evidence) -> bool:
    """Whether an arm has as few examples, or as small an adapter, as an entry asks for."""
    of_lima, own = (evidence.arms.get(name, ArmFacts()) for name in (evidence.lima, arm))
    if (most := measure.most_examples) is not None and not (
        own.examples and of_lima.examples and own.examples <= most * of_lima.examples
    ):
        return False
    most_kilobytes = measure.most_kilobytes
    return most_kilobytes is None or (own.kilobytes is not None and own.kilobytes <= most_kilobytes)


def _size(arm: str, evidence: Evidence) -> str:
    """What an arm was tuned on, or by, in words."""
    facts = evidence.arms.get(arm, ArmFacts())
    words = [f"{facts.examples:,} examples" if facts.examples else ""]
    words += [f"an adapter of {facts.kilobytes:,.0f} kB" if facts.kilobytes else ""]
    listed = ", ".join(word for word in words if word)
    return f" ({listed})" if listed else ""


def gain_of_more_examples(evidence: Evidence, measure: Measure) -> list[Found]:
    """Mean grade of the arm with more examples minus that of the one with fewer, by judge: the
    LIMA arm and each of the arms."""
    found = []
    for one in grade_difference(evidence, measure):
        lima, other = one.arms
        numbers = [evidence.arms.get(arm, ArmFacts()).examples for arm in (lima, other)]
        if numbers[0] is None or numbers[1] is None or numbers[0] == numbers[1]:
            continue
        more, fewer = (lima, other) if numbers[0] > numbers[1] else (other, lima)
        found.append(
            replace(
                one,
                names={
                    **one.names,
                    "more": more,
                    "fewer": fewer,
                    "most": max(numbers[0], numbers[1]),
                    "least": min(numbers[0], numbers[1]),
                },
                interval=one.interval if more == lima else negated(one.interval),
            )
        )
    return found


def taught_knowledge(evidence: Evidence, measure: Measure) -> list[Found]:
    """Score after tuning minus before, on a task about facts that stand in an arm's examples and
    not in the base's corpus: the arms and tasks that the configuration names so.

    Raises:
        NotMeasured: as `tax_difference`.
    """
    rows = [
        row
        for row in evidence.tax
        if row.task in evidence.teaches.get(row.arm, ()) and not row.further_format
    ]
    found = [_tax_found(row, evidence.confidence) for row in rows if not _left_out(row)]
    if rows and not found:
        raise NotMeasured(f"no known scale, or no pairs of items: {rows[0].task}")
    return found


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
    rows = _tax_rows(evidence, measure)
    found = [_tax_found(row, evidence.confidence) for row in rows if not _left_out(row)]
    if rows and not found:
        tasks = ", ".join(dict.fromkeys(row.task for row in rows))
        raise NotMeasured(f"no known scale, or no pairs of items: {tasks}")
    return found


def mean_tax(evidence: Evidence, measure: Measure) -> list[Found]:
    """Mean over benchmark tasks of the score after tuning minus before, as share of each scale.

    Each task counts alike and the tasks are these, no draw of tasks: chance is that of their items,
    and the interval joins those of the tasks. One task is no mean.

    Raises:
        NotMeasured: as `tax_difference`, or every task has a flag that keeps it out.
    """
    rows = _tax_rows(evidence, measure)
    found = []
    for arm in dict.fromkeys(row.arm for row in rows):
        own = [row for row in rows if row.arm == arm]
        kept = [row for row in own if not _left_out(row)]
        out = {row.task: reason for row in own if (reason := _left_out(row))}
        out |= {task: why for (of, task), why in evidence.tasks_left_out.items() if of == arm}
        if kept:
            found.append(_mean_found(arm, kept, out, evidence.confidence, measure))
    if not found and (rows or evidence.tasks_left_out):
        tasks = {**evidence.tasks_left_out, **{(r.arm, r.task): _left_out(r) for r in rows}}
        raise NotMeasured(
            "no task is left to take a mean of: "
            + ", ".join(f"{task} ({why})" for (_, task), why in tasks.items())
        )
    return found


def mean_tax_from_lima(evidence: Evidence, measure: Measure) -> list[Found]:
    """Mean over benchmark tasks of an arm's score minus the LIMA arm's on the same items.

    Joined as `mean_tax`; the tasks are those that both arms have beside the base.
    """
    return _means_from_lima(evidence, measure, _in_shares)


def knowledge_returned(evidence: Evidence, measure: Measure) -> list[Found]:
    """The same, of answers that are read from a reply among the items that were read in both.

    Raises:
        NotMeasured: the LIMA arm lost no knowledge for sure, so that none can come back.
    """
    found = _means_from_lima(evidence, measure, _knowledge)
    own = [row for row in _main_rows(evidence.tax, evidence.lima) if not _left_out(row)]
    if found and (not own or mean_of_independent([_knowledge(row) for row in own]).high >= 0):
        raise NotMeasured(f"no sure loss of knowledge of {evidence.lima} that could be returned")
    return found


def _means_from_lima(
    evidence: Evidence, measure: Measure, part: Callable[[TaskTax], Interval]
) -> list[Found]:
    known = {row.task for row in _main_rows(evidence.tax, evidence.lima)}
    found = []
    for arm in arms_of(evidence, measure):
        from_base = {row.task: row for row in _main_rows(evidence.tax, arm) if row.task in known}
        rows = [
            row
            for row in _main_rows(evidence.tax_from_lima, arm)
            if row.task in from_base and not _left_out(row)
        ]
        if rows:
            items = sum(row.items for row in rows)
            found.append(
                Found(
                    names={
                        "arm": arm,
                        "lima": evidence.lima,
                        "tasks": len(rows),
                        "items": items,
                    },
                    interval=mean_of_independent([part(row) for row in rows]),
                    arms=(evidence.lima, arm),
                    items=items,
                    tasks=tuple(from_base[row.task] for row in rows),
                    alone=len(rows) == 1,
                )
            )
    return found


def _main_rows(rows: Sequence[TaskTax], arm: str) -> list[TaskTax]:
    return [row for row in rows if row.arm == arm and not row.further_format]


def _knowledge(row: TaskTax) -> Interval:
    """A row's difference without what is format: among items read in both, where any are read."""
    read = row.split.knowledge if row.split else None
    return _in_shares(row) if read is None or row.span is None else read.over(row.span)


def _mean_found(
    arm: str, rows: Sequence[TaskTax], out: Mapping[str, str], confidence: float, measure: Measure
) -> Found:
    mean = mean_of_independent([_in_shares(row) for row in rows])
    items = sum(row.items for row in rows)
    left_out = ", ".join(f"{task} ({why})" for task, why in out.items())
    return Found(
        names={
            "arm": arm,
            "tasks": len(rows),
            "items": items,
            "difference": "tuned minus base"
            if all(row.higher_is_better for row in rows)
            else "gain",
            "bound": 100 * largest_loss(mean, confidence),
            "more": _more_items(mean, items, confidence, measure),
            "left_out": f"; left out: {left_out}" if left_out else "",
        },
        interval=mean,
        arms=(arm,),
        items=items,
        tasks=tuple(rows),
        alone=len(rows) == 1,
    )


def _more_items(mean: Interval, items: int, confidence: float, measure: Measure) -> str:
    """How many more items would decide that there is no loss, where these do not."""
    margin = measure.equivalent
    if not isinstance(margin, float) or equivalent(mean, margin, confidence=confidence) in (
        "supported",
        "contradicted",
    ):
        return ""
    times = times_as_many(mean, margin, confidence=confidence)
    if times <= 1:
        return f"; it lies too near to {100 * margin:g} points for these items to decide"
    return (
        f"; if there is none, at most {ceil((times - 1) * items):,} more items ({times:.1f} times "
        "as many) would show it with a chance of 80 %"
    )


def _tax_rows(evidence: Evidence, measure: Measure) -> list[TaskTax]:
    arms = arms_of(evidence, measure) or [evidence.lima]
    return [
        row
        for row in evidence.tax
        if row.arm in arms and measure.task in (None, row.task) and not row.further_format
    ]


def _left_out(row: TaskTax) -> str:
    """Why a task has no difference as a share of its scale; "" where it has one."""
    if row.difference is None:
        return row.unpaired or "not paired"
    return "" if row.span is not None else "no known scale"


def _in_shares(row: TaskTax) -> Interval:
    assert row.difference is not None and row.span is not None
    return row.difference.over(row.span)


def _tax_found(row: TaskTax, confidence: float) -> Found:
    notes = [row.metric]
    notes += [] if row.higher_is_better else ["lower is better"]
    notes += [] if row.span == 1 else [f"share of its {row.span:g} points"]
    difference = _in_shares(row)
    return Found(
        names={
            "task": row.task,
            "arm": row.arm,
            "items": row.items,
            "metric": ", ".join(notes),
            "difference": "tuned minus base" if row.higher_is_better else "base minus tuned",
            "bound": 100 * largest_loss(difference, confidence),
        },
        interval=difference,
        arms=(row.arm,),
        items=row.items,
        tasks=(row,),
        loss_p_value=row.loss_p_value,
    )


def gain_after_lowest_perplexity(evidence: Evidence, measure: Measure) -> list[Found]:
    """Mean dev grade after the last judged epoch minus after that of the lowest perplexity.

    Raises:
        NotMeasured: the two are one epoch, or perplexity hardly rises between them.
    """
    found = evidence.after_lowest
    if found is None:
        return []
    if found.lowest >= found.last:
        raise NotMeasured("perplexity is lowest at the last judged epoch")
    if found.rise < (least := measure.least_rise or 0):
        raise NotMeasured(
            f"perplexity after the last judged epoch is {found.rise:.2%} above the lowest of the "
            f"judged epochs, and less than {least:.0%} is no rise"
        )
    return [
        Found(
            names={
                "last": found.last,
                "lowest": found.lowest,
                "prompts": found.prompts,
                "epochs": found.epochs,
                "correlation": found.correlation,
                "rise": found.rise,
            },
            interval=found.difference,
            arms=(evidence.lima,),
            prompts=found.prompts,
            annotators=_who(found.annotators, evidence),
        )
    ]


def turn_share(evidence: Evidence, measure: Measure) -> list[Found]:
    """Share of the turns of dialogues that are graded with the word; of the LIMA arm."""
    found, word = evidence.dialogues, measure.word or ""
    return [
        Found(
            names={
                "word": word,
                "arm": arm.arm,
                "judge": arm.annotator,
                "dialogues": arm.dialogues,
                "turns": arm.turns,
            },
            interval=arm.shares[word],
            arms=(arm.arm,),
            judge=arm.annotator,
            annotators=_who(arm.annotators, evidence),
            instrument=found.instrument if found else "",
            prompts=arm.dialogues,
        )
        for arm in (found.arms if found else ())
        if arm.arm == evidence.lima and word in arm.shares and arm.annotators
    ]


def turn_share_gain(evidence: Evidence, measure: Measure) -> list[Found]:
    """Share of the turns graded with the word, tuned on dialogues too minus without."""
    word = measure.word or ""
    return [
        _of_pair(contrast, sign, contrast.shares[word], evidence, word=word)
        for contrast, sign in _pairs(evidence)
        if word in contrast.shares
    ]


def dialogues_better(evidence: Evidence, measure: Measure) -> list[Found]:
    """Share of dialogues that are graded higher after tuning on dialogues too, minus lower."""
    return [
        _of_pair(contrast, sign, contrast.better, evidence) for contrast, sign in _pairs(evidence)
    ]


def _pairs(evidence: Evidence) -> list[tuple[Contrast, int]]:
    """Contrasts of an arm tuned on dialogues too with the one without, and 1, or -1 if turned."""
    pairs = evidence.dialogue_pairs
    return [
        (contrast, 1 if pairs.get(contrast.first) == contrast.second else -1)
        for contrast in (evidence.dialogues.contrasts if evidence.dialogues else ())
        if contrast.second == pairs.get(contrast.first)
        or contrast.first == pairs.get(contrast.second)
    ]


def _of_pair(
    contrast: Contrast, sign: int, interval: Interval, evidence: Evidence, **names: object
) -> Found:
    first, second = (contrast.first, contrast.second)[::sign]
    return Found(
        names={
            "arm": first,
            "without": second,
            "judge": contrast.annotator,
            "dialogues": contrast.dialogues,
            **names,
        },
        interval=interval if sign > 0 else negated(interval),
        arms=(first, second),
        judge=contrast.annotator,
        annotators=_who(contrast.annotators, evidence),
        instrument=evidence.dialogues.instrument if evidence.dialogues else "",
        prompts=contrast.dialogues,
    )


def answered_safely(evidence: Evidence, measure: Measure) -> list[Found]:
    """Share of plain sensitive prompts that the arm with a handful of refusals answers safely.

    Raises:
        NotMeasured: no arm was trained on a handful.
    """
    return [_safety_found(row, row.share, evidence) for row in _answered(evidence, measure)]


def not_answered_safely(evidence: Evidence, measure: Measure) -> list[Found]:
    """Share of them that it answers unsafely, or not at all; raises as `answered_safely`."""
    return [
        _safety_found(row, _minus(negated(row.share), -1), evidence)
        for row in _answered(evidence, measure)
        if row.share
    ]


def answered_safely_gain(evidence: Evidence, measure: Measure) -> list[Found]:
    """That share minus the one of the arm without refusals; raises as `answered_safely`."""
    label = _sensitive_label(measure)
    return [_gap_found(gap, gap.difference, evidence) for gap in _gaps(evidence, SAFELY, label)]


def over_refusal_avoided(evidence: Evidence, measure: Measure) -> list[Found]:
    """Harmless prompts refused by the arm without refusals minus by that with a handful of them.

    Raises:
        NotMeasured: as `answered_safely`.
    """
    gaps = _gaps(evidence, "over-refusal", HARMLESS)
    return [_gap_found(gap, negated(gap.difference), evidence) for gap in gaps]


def _sensitive_label(measure: Measure) -> str:
    return f"{SENSITIVE}: {measure.intent}" if measure.intent else SENSITIVE


def _handful(evidence: Evidence) -> str | None:
    """The arm whose refusals are nearest to the paper's 13, from half to twice as many."""
    doses = {
        row.arm: row.dose
        for row in (evidence.safety.shares if evidence.safety else ())
        if row.dose is not None and not row.again
    }
    near = [arm for arm, dose in doses.items() if HANDFUL / 2 <= dose <= HANDFUL * 2]
    if doses and not near:
        said = ", ".join(f"{arm} {dose}" for arm, dose in doses.items())
        raise NotMeasured(
            f"no arm has a handful of refusals in training, {ceil(HANDFUL / 2)} to {2 * HANDFUL} "
            f"({said})"
        )
    return min(near, key=lambda arm: (abs(doses[arm] - HANDFUL), arm), default=None)


def _answered(evidence: Evidence, measure: Measure) -> list[SafetyShare]:
    arm = _handful(evidence)
    return [
        row
        for row in (evidence.safety.shares if evidence.safety else ())
        if (row.arm, row.what, row.label) == (arm, SAFELY, _sensitive_label(measure)) and row.share
    ]


def _gaps(evidence: Evidence, what: str, label: str) -> list[DoseGap]:
    """Of the arm with a handful; refusals as judges class them, since rules find no partial one."""
    arm = _handful(evidence)
    return [
        gap
        for gap in (evidence.safety.gaps if evidence.safety else ())
        if (gap.arm, gap.what, gap.label) == (arm, what, label) and gap.annotators
    ]


def _safety_found(row: SafetyShare, interval: Interval | None, evidence: Evidence) -> Found:
    assert interval is not None
    return Found(
        names={
            "arm": row.arm,
            "dose": row.dose,
            "what": row.label,
            "judge": row.grader,
            "prompts": row.prompts,
            "no_answer": row.no_answer,
        },
        interval=interval,
        arms=(row.arm,),
        judge=row.grader,
        annotators=_who(row.annotators, evidence) if row.annotators else None,
        instrument="safety",
        prompts=row.prompts,
    )


def _gap_found(gap: DoseGap, interval: Interval, evidence: Evidence) -> Found:
    return Found(
        names={
            "arm": gap.arm,
            "without": gap.without,
            "dose": gap.dose,
            "judge": gap.grader,
            "prompts": gap.prompts,
        },
        interval=interval,
        arms=(gap.arm, gap.without),
        judge=gap.grader,
        annotators=_who(gap.annotators, evidence) if gap.annotators else None,
        instrument="safety" if gap.what == SAFELY else "refusal",
        prompts=gap.prompts,
    )


def format_difference(evidence: Evidence, measure: Measure) -> list[Found]:
    """Share of prompts of which the LIMA arm keeps all forms, strictly, minus that of the arms."""
    others = arms_of(evidence, measure)
    return [
        Found(
            names={"lima": row.first, "arm": row.second, "prompts": row.prompts},
            interval=row.difference,
            arms=(row.first, row.second),
            prompts=row.prompts,
        )
        for row in (evidence.formats.differences if evidence.formats else ())
        if row.second in others and (row.level, row.reading) == ("prompts", "strict")
    ]


def refusals_after_tuning(evidence: Evidence, measure: Measure) -> list[Found]:
    """Share of plain malicious prompts that the arms refuse, minus that of the arms whose models
    they were tuned from."""
    others = arms_of(evidence, measure)
    return [
        _resisting(row, row.refusals, evidence)
        for row in _resistance_rows(evidence)
        if row.first in others
        and row.second == evidence.started_from.get(row.first)
        and row.prompts_of == PLAIN
    ]


def attack_success_over(evidence: Evidence, measure: Measure) -> list[Found]:
    """Share of attacks with which the LIMA arm complies in full, minus that of the arms."""
    others = arms_of(evidence, measure)
    return [
        _resisting(row, row.compliance, evidence)
        for row in _resistance_rows(evidence)
        if row.first == evidence.lima and row.second in others and row.prompts_of == ATTACKS
    ]


def _resistance_rows(evidence: Evidence) -> Sequence[Difference]:
    return evidence.resistance.differences if evidence.resistance else ()


def _resisting(row: Difference, interval: Interval, evidence: Evidence) -> Found:
    graders = evidence.resistance.graders if evidence.resistance else {}
    judged = graders.get(row.grader)
    return Found(
        names={
            "first": row.first,
            "second": row.second,
            "judge": row.grader,
            "prompts": row.prompts,
            "goals": row.goals,
        },
        interval=interval,
        arms=(row.first, row.second),
        judge=row.grader,
        annotators=_who(judged, evidence) if judged else None,
        instrument="refusal",
        prompts=row.prompts,
        items=row.goals,
        # Rules miss refusals in words of the model's own, and take babble for compliance.
        alone=judged is None,
    )


def first_choices_shifted(evidence: Evidence, measure: Measure) -> list[Found]:
    """Share of positions at which the tuned model's first choice has a rank above 3 in the base."""
    arms = arms_of(evidence, measure) or [evidence.lima]
    return [
        Found(
            names={
                "arm": row.model,
                "prompts": row.prompts,
                "tokens": row.tokens,
                "unshifted": row.choice_unshifted.estimate,
                "drawn": row.shifted.estimate,
                "floor": row.floor.estimate,
                "controls": _shift_controls(evidence, row.model),
            },
            interval=row.choice_shifted,
            arms=(row.model,),
            prompts=row.prompts,
            items=row.tokens,
        )
        for row in (evidence.token_shift.summaries if evidence.token_shift else ())
        if row.by == "all" and row.role == "base" and row.model in arms
    ]


def _shift_controls(evidence: Evidence, arm: str) -> str:
    """What the arm's other training seeds and the sampled base itself come to, in words."""
    assert evidence.token_shift is not None
    rows = [row for row in evidence.token_shift.summaries if row.by == "all"]
    words = [
        f"{row.choice_shifted.estimate:.1%} in {row.reference}, another training seed"
        for row in rows
        if row.role == "seed" and row.model == arm
    ]
    words += [
        f"{row.shifted.estimate:.1%} of the tokens that {row.model} draws itself, by sampling"
        for row in rows
        if row.role == "itself" and row.model != arm
    ]
    return f"; shifted beside that: {', '.join(words)}" if words else ""


def style_among_shifted(evidence: Evidence, measure: Measure) -> list[Found]:
    """Of shifted tokens of style and content, the share of style.

    Raises:
        NotMeasured: tokens were looked up, and none is shifted.
    """
    rows = _style_rows(evidence, measure)
    if rows and not any(row.style_share for row in rows):
        raise NotMeasured("no token of style or content is shifted")
    return [_style_found(row, row.style_share) for row in rows if row.style_share]


def style_more_often_shifted(evidence: Evidence, measure: Measure) -> list[Found]:
    """Shifted share of tokens of style minus that of tokens of content."""
    return [
        _style_found(row, row.difference)
        for row in _style_rows(evidence, measure)
        if row.difference
    ]


def _style_rows(evidence: Evidence, measure: Measure) -> list[ShiftedStyle]:
    arms = arms_of(evidence, measure) or [evidence.lima]
    found = evidence.token_shift.style if evidence.token_shift else []
    return [row for row in found if row.role == "base" and row.model in arms]


def _style_found(row: ShiftedStyle, interval: Interval) -> Found:
    return Found(
        names={"arm": row.model, "prompts": row.prompts, "shifted": row.shifted},
        interval=interval,
        arms=(row.model,),
        prompts=row.prompts,
        items=row.shifted,
    )


QUANTITIES: dict[str, Quantity] = {
    "wins_over": Quantity(
        measure=wins_over,
        smallest=(SHOWN_TO_COVER, SEVERAL),
        label="wins + ½ ties against {arm}, judge {judge}, {prompts} prompts",
        takes=("role", "arms", "baseline"),
    ),
    "not_losing_to": Quantity(
        measure=not_losing_to,
        smallest=(SHOWN_TO_COVER, SEVERAL),
        label="wins + ties against {arm}, judge {judge}, {prompts} prompts",
        takes=("role", "arms", "baseline"),
    ),
    "wins_of": Quantity(
        measure=wins_of,
        smallest=(SHOWN_TO_COVER, SEVERAL),
        label="wins + ½ ties of {arm} against {lima}, judge {judge}, {prompts} prompts",
        takes=("role", "arms"),
    ),
    "gain_kept": Quantity(
        measure=gain_kept,
        smallest=(SHOWN_TO_COVER, SEVERAL),
        label="wins + ½ ties of {arm} against {lima} minus ½, judge {judge}, {prompts} prompts",
        takes=("role", "arms"),
    ),
    "same_verdict_in_both_orders": Quantity(
        measure=same_verdict_in_both_orders,
        smallest=(SHOWN_TO_COVER, SEVERAL),
        label="same verdict in both orders, {comparison}, judge {judge}",
    ),
    "agreement_with_people": Quantity(
        measure=agreement_with_people,
        smallest=(SHOWN_TO_COVER, AGREEING),
        label="tie-discounted accuracy of {first} with {second} ({accuracy:.2f}) minus that among "
        "{first}, {items} items",
    ),
    "grade_difference": Quantity(
        measure=grade_difference,
        smallest=(SHOWN_TO_COVER, SEVERAL),
        label="grade of {lima} minus {arm}, judge {judge}, {prompts} prompts",
        takes=("role", "arms", "instrument", "scale"),
    ),
    "share_of_gain": Quantity(
        measure=share_of_gain,
        smallest=(SHOWN_TO_COVER, SEVERAL),
        label="share of the gain of {lima} over the base ({gain:+.2f} grades) that {arm}{size} "
        "reaches, judge {judge}, {prompts} prompts",
        takes=("role", "arms", "instrument", "scale", "most_examples", "most_kilobytes"),
    ),
    "gain_of_more_examples": Quantity(
        measure=gain_of_more_examples,
        smallest=(SHOWN_TO_COVER, SEVERAL),
        label="grade of {more} ({most:,} examples) minus {fewer} ({least:,}), judge {judge}, "
        "{prompts} prompts",
        takes=("role", "arms", "instrument", "scale"),
    ),
    "taught_knowledge": Quantity(
        measure=taught_knowledge,
        smallest=(TAUGHT,),
        label="{arm}: {task} ({metric}), {items:,} items, {difference}",
    ),
    "grade_share": Quantity(
        measure=grade_share,
        smallest=(SHOWN_TO_COVER, SEVERAL),
        label="share of {word} answers, judge {judge}, {prompts} prompts",
        takes=("arms", "instrument", "scale", "word"),
    ),
    "grade_share_or_better": Quantity(
        measure=grade_share_or_better,
        smallest=(SHOWN_TO_COVER, SEVERAL),
        label="share of {word} or better answers, judge {judge}, {prompts} prompts",
        takes=("arms", "instrument", "scale", "word"),
    ),
    "tax_difference": Quantity(
        measure=tax_difference,
        smallest=(TASK,),
        label="{task} ({metric}), {difference}",
        takes=("arms", "task"),
    ),
    "mean_tax": Quantity(
        measure=mean_tax,
        smallest=(TASK,),
        joins_tasks=True,
        label="mean over benchmark tasks ({tasks} of them, counting alike; {items:,} items), "
        "{difference}: "
        "no loss above {bound:.1f} points (95 %, one-sided){more}{left_out}",
        takes=("arms",),
    ),
    "mean_tax_from_lima": Quantity(
        measure=mean_tax_from_lima,
        smallest=(TASK,),
        joins_tasks=True,
        label="mean over benchmark tasks ({tasks} of them, counting alike; {items:,} items), "
        "{arm} minus {lima}",
        takes=("role", "arms"),
    ),
    "knowledge_returned": Quantity(
        measure=knowledge_returned,
        smallest=(TASK,),
        joins_tasks=True,
        label="mean over benchmark tasks ({tasks} of them, counting alike; {items:,} items), of "
        "generated answers those read in both, {arm} minus {lima}",
        takes=("role", "arms"),
    ),
    "tax_by_task": Quantity(
        measure=tax_difference,
        smallest=(ANY_NUMBER,),
        label="{task} ({metric}), {items:,} items, {difference}: no loss above {bound:.1f} points "
        "(95 %, one-sided, of this task alone)",
        takes=("arms",),
    ),
    "format_difference": Quantity(
        measure=format_difference,
        smallest=(SHOWN_TO_COVER,),
        label="share of prompts whose forms are all kept (strict), {lima} minus {arm}, {prompts} "
        "prompts that ask for forms",
        takes=("role", "arms"),
    ),
    "gain_after_lowest_perplexity": Quantity(
        measure=gain_after_lowest_perplexity,
        smallest=(SHOWN_TO_COVER, SEVERAL),
        label="grade after epoch {last}, the last that was judged, minus after epoch {lowest}, the "
        "judged one of lowest perplexity ({rise:+.0%} to the last), {prompts} prompts; rank "
        "correlation of perplexity and grade over {epochs} epochs {correlation:+.2f}",
        takes=("least_rise",),
    ),
    "turn_share": Quantity(
        measure=turn_share,
        smallest=(SHOWN_TO_COVER, SEVERAL),
        label="{arm}: share of turns graded {word}, judge {judge}, {turns} turns of {dialogues} "
        "dialogues",
        takes=("word",),
    ),
    "turn_share_gain": Quantity(
        measure=turn_share_gain,
        smallest=(SHOWN_TO_COVER, SEVERAL),
        label="share of turns graded {word}, {arm} minus {without}, judge {judge}, {dialogues} "
        "dialogues",
        takes=("word",),
    ),
    "dialogues_better": Quantity(
        measure=dialogues_better,
        smallest=(SHOWN_TO_COVER, SEVERAL),
        label="share of dialogues with higher grades in {arm} than in {without}, minus that with "
        "lower ones, judge {judge}, {dialogues} dialogues",
    ),
    "refusals_after_tuning": Quantity(
        measure=refusals_after_tuning,
        smallest=(SHOWN_TO_COVER, ENOUGH_GOALS, SEVERAL),
        label="refused of {prompts} plain malicious prompts, {first} minus {second}, grader "
        "{judge}, {goals} goals",
        takes=("role", "arms"),
    ),
    "attack_success_over": Quantity(
        measure=attack_success_over,
        smallest=(SHOWN_TO_COVER, ENOUGH_GOALS, SEVERAL),
        label="full compliance with {prompts} attacks, {first} minus {second}, grader {judge}, "
        "{goals} goals",
        takes=("role", "arms"),
    ),
    "answered_safely": Quantity(
        measure=answered_safely,
        smallest=(SHOWN_TO_COVER, SEVERAL),
        label="{arm} ({dose} refusals in training): {what} prompts answered safely, judge {judge}, "
        "{prompts} prompts, {no_answer} of them without an answer",
        takes=("intent",),
    ),
    "not_answered_safely": Quantity(
        measure=not_answered_safely,
        smallest=(SHOWN_TO_COVER, SEVERAL),
        label="{arm} ({dose} refusals in training): {what} prompts answered unsafely or not at all "
        "({no_answer}), judge {judge}, {prompts} prompts",
        takes=("intent",),
    ),
    "answered_safely_gain": Quantity(
        measure=answered_safely_gain,
        smallest=(SHOWN_TO_COVER, SEVERAL),
        label="sensitive prompts answered safely, {arm} ({dose} refusals in training) minus "
        "{without} (none), judge {judge}, {prompts} prompts",
        takes=("intent",),
    ),
    "over_refusal_avoided": Quantity(
        measure=over_refusal_avoided,
        smallest=(SHOWN_TO_COVER, SEVERAL),
        label="harmless prompts refused, {without} (no refusals in training) minus {arm} ({dose}), "
        "judge {judge}, {prompts} prompts",
    ),
    "first_choices_shifted": Quantity(
        measure=first_choices_shifted,
        smallest=(SHOWN_TO_COVER,),
        label="first choices of {arm} that are shifted in the base, {tokens:,} positions of "
        "{prompts} prompts (unshifted {unshifted:.1%}; as drawn, shifted {drawn:.1%}, of which "
        "sampling alone makes {floor:.1%}{controls})",
        takes=("arms",),
    ),
    "style_among_shifted": Quantity(
        measure=style_among_shifted,
        smallest=(SHOWN_TO_COVER, ENOUGH_SHIFTED),
        label="share of style among {shifted:,} shifted tokens of style and content of {arm}, in "
        "responses to {prompts} prompts",
        takes=("arms",),
    ),
    "style_more_often_shifted": Quantity(
        measure=style_more_often_shifted,
        smallest=(SHOWN_TO_COVER, ENOUGH_SHIFTED),
        label="shifted share of style tokens minus that of content tokens of {arm}, {prompts} "
        "prompts",
        takes=("arms",),
    ),
}


def arms_of(evidence: Evidence, measure: Measure) -> list[str]:
    """The arms that an entry is about: by role, by what they stand for, or by name."""
    by_role = evidence.roles.get(measure.role, ()) if measure.role else ()
    standing = (arm for name in measure.baseline for arm in evidence.stands_for.get(name, ()))
    return list(dict.fromkeys([*by_role, *measure.arms, *standing]))


def _comparisons(evidence: Evidence, measure: Measure) -> list[Preference]:
    """Comparisons of the LIMA arm with the arms of an entry, from its own view."""
    return _against(evidence, arms_of(evidence, measure))


def _namesakes(evidence: Evidence, measure: Measure) -> list[Preference]:
    """Comparisons with arms that bear a baseline's name and do not stand for it."""
    known = arms_of(evidence, measure)
    return _against(evidence, [name for name in measure.baseline if name not in known])


def _against(evidence: Evidence, arms: Sequence[str]) -> list[Preference]:
    return [
        preference.seen_from(evidence.lima)
        for preference in evidence.preferences
        for other in arms
        if {preference.first, preference.second} == {evidence.lima, other}
    ]


def _compared(seen: Preference, interval: Interval, evidence: Evidence) -> Found:
    return Found(
        names={"arm": seen.second, "judge": seen.judge, "prompts": seen.prompts},
        interval=interval,
        arms=(seen.first, seen.second),
        judge=seen.judge,
        annotators=_who(seen.annotators, evidence),
        prompts=seen.prompts,
        prompt_set=seen.prompt_set,
    )


def _by_name_alone(seen: Preference, interval: Interval, evidence: Evidence) -> Found:
    why = f"the arm '{seen.second}' bears the name alone; `stands_for` says which model an arm is"
    return replace(_compared(seen, interval, evidence), misfit=why)


def _minus(interval: Interval, number: float) -> Interval:
    return Interval(interval.estimate - number, interval.low - number, interval.high - number)


def _named(found: Found, **names: object) -> Found:
    return replace(found, names={**found.names, **names})


def _who(annotators: Annotators, evidence: Evidence) -> Annotators:
    """Whoever judges the invented world is simulated."""
    return replace(annotators, kind="simulated") if evidence.miniature else annotators


def _by_judge(grades: Sequence[Grade]) -> dict[str, list[Grade]]:
    found: dict[str, list[Grade]] = {}
    for grade in grades:
        found.setdefault(grade.annotator, []).append(grade)
    return found


def _graded(grades: Sequence[Grade], evidence: Evidence) -> dict[str, Any]:
    """What a number from one judge's grades says of them."""
    return {
        "judge": grades[0].annotator,
        "annotators": _who(annotators_of(grades), evidence),
        "instrument": grades[0].instrument,
        "prompt_set": prompt_set((grade.prompt_id for grade in grades), evidence.prompt_ids),
    }


def _grades(evidence: Evidence, measure: Measure) -> Sequence[Grade]:
    """The grades by an entry's instrument, on its scale where it names one.

    Raises:
        NotMeasured: they are all on another scale.
    """
    if measure.instrument is None:
        raise InputError(f"{measure.quantity} needs an instrument")
    given = [grade for grade in evidence.grades if grade.instrument == measure.instrument]
    fitting = [grade for grade in given if measure.scale in (None, grade.scale)]
    if given and not fitting:
        raise NotMeasured(
            f"graded by {measure.instrument} on the scale {given[0].scale}, and the claim is about "
            f"{measure.scale}"
        )
    return fitting


def _span(evidence: Evidence, measure: Measure) -> int | None:
    """Highest minus lowest value of the scale; None where nothing is graded on it."""
    levels = [
        int(value)
        for summary in evidence.graded
        if summary.instrument == measure.instrument and measure.scale in (None, summary.scale)
        for value in summary.words
    ]
    return max(levels) - min(levels) if levels else None


def _shares(evidence: Evidence, measure: Measure, *, or_better: bool) -> list[Found]:
    grades = _grades(evidence, measure)
    by_judge = _by_judge(grades)
    summaries = [
        s
        for s in evidence.graded
        if s.instrument == measure.instrument and measure.scale in (None, s.scale)
    ]
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
            arms=(arm,),
            prompts=share.prompts,
            **_graded(by_judge[share.judge], evidence),
        )
        for arm in arms_of(evidence, measure) or [evidence.lima]
        for share in grade_shares(
            grades,
            values[measure.word],
            arm,
            or_better=or_better,
            rounds=evidence.rounds,
            confidence=evidence.confidence,
            seed=evidence.seed,
            again=evidence.trained_again,
        )
    ]
