"""What limits a verdict: a flag of each kind, with the sentence that says why it is there.

A flag leaves the interval alone. It travels with the number and with the verdict; where an entry
names it in `undecided_if`, the number decides nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from limaflow.analysis.arm_facts import STILL_FALLING, ArmFacts
from limaflow.analysis.claim_entries import FlagId
from limaflow.analysis.evidence import Evidence
from limaflow.analysis.quantities import Found
from limaflow.measures.summaries import TaskTax

MOST_CUT = 0.5
"""Share of an arm's answers cut off by length from which on mostly fragments are compared."""
MOST_STEPS = 2
"""An arm with more than so many times the other's steps differs by more than its examples."""
ENOUGH_SEEDS = 5
"""Training seeds from which on a variance between them can be estimated."""
ROOM = 0.05
"""Share of a scale: less above the base, and it can hardly gain."""


@dataclass(frozen=True, kw_only=True)
class Flag:
    """What limits a verdict, such as `one-judge`, in a word and in a sentence."""

    id: FlagId
    text: str


def flags_of(found: Found, evidence: Evidence) -> list[Flag]:
    """The flags of one number."""
    flags = [*_of_training(found, evidence)]
    if found.annotators is not None:
        flags += [*_of_judging(found, evidence), *_of_answers(found, evidence)]
    for row in found.tasks:
        flags += flags_of_task(row, evidence)
    return flags


def _of_judging(found: Found, evidence: Evidence) -> Iterator[Flag]:
    if found.annotators is None:
        return
    if found.annotators.kind == "simulated":
        yield Flag(id="simulated", text="judged by a program of the invented world")
    if found.annotators.kind == "model" and not _checked(found, evidence):
        yield Flag(
            id="unchecked-judge",
            text=f"no people judged beside {found.judge or 'the model'}, so that its agreement "
            "with them is not known",
        )


def _checked(found: Found, evidence: Evidence) -> bool:
    """Whether people and models judged the same answers, by the same instrument."""
    groups = [
        {row.first, row.second}
        for row in (
            [a for a in evidence.grade_agreements if a.instrument == found.instrument]
            if found.instrument
            else evidence.agreements
        )
        if row.relation == "between"
    ]
    return {"people", "models"} in groups


def _of_answers(found: Found, evidence: Evidence) -> Iterator[Flag]:
    for arm in found.arms:
        cut = evidence.arms.get(arm, ArmFacts()).cut
        if cut is not None and cut > MOST_CUT:
            yield Flag(id="cut-off", text=f"{cut:.0%} of the answers of {arm} hit the length limit")


def _of_training(found: Found, evidence: Evidence) -> Iterator[Flag]:
    trained = {
        arm: facts
        for arm in found.arms
        if (facts := evidence.arms.get(arm)) is not None and facts.seeds is not None
    }
    for arm, facts in trained.items():
        if facts.still_falling is not None and facts.still_falling > STILL_FALLING:
            yield Flag(
                id="not-converged",
                text=f"the last epoch of {arm} still lowered dev perplexity by "
                f"{facts.still_falling:.0%}",
            )
        if facts.seeds is not None and facts.seeds < ENOUGH_SEEDS:
            plural = "" if facts.seeds == 1 else "s"
            yield Flag(
                id="few-seeds",
                text=f"{arm} was trained with {facts.seeds} seed{plural}: the interval leaves out "
                f"how trainings differ (from {ENOUGH_SEEDS} seeds on that can be told)",
            )
            if by_seed := _by_seed(found, arm, evidence):
                yield Flag(id="few-seeds", text=by_seed)
    steps = {arm: facts.steps for arm, facts in trained.items() if facts.steps}
    if steps and max(steps.values()) > MOST_STEPS * min(steps.values()):
        listed = ", ".join(f"{arm} {count}" for arm, count in steps.items())
        yield Flag(
            id="unequal-steps",
            text=f"optimizer steps differ ({listed}), so that more training counts as well",
        )


def _by_seed(found: Found, arm: str, evidence: Evidence) -> str:
    """What each seed came to, where the number is of those that are summarized by seed."""
    tasks = [row.task for row in found.tasks]
    spread = next(
        (
            s
            for s in evidence.seeds
            if (s.arm, s.judge) == (arm, found.judge)
            and s.subject in (*tasks, found.instrument, *found.arms)
            and s.interval == found.interval
        ),
        None,
    )
    if spread is None:
        return ""
    form = ".2f" if spread.quantity == "grade" else ".1%"
    seeds = ", ".join(format(seed.estimate, form) for seed in spread.seeds)
    return f"{arm} by seed, {spread.subject}: {seeds}"


def flags_of_task(row: TaskTax, evidence: Evidence) -> Iterator[Flag]:
    """The flags of a benchmark task."""
    if row.base is not None and row.scale is not None and row.span:
        low, high = row.scale
        room = high - row.base.estimate if row.higher_is_better else row.base.estimate - low
        if room < ROOM * row.span:
            yield Flag(
                id="at-ceiling",
                text=f"{row.task}: the base leaves {room / row.span:.0%} of the scale to gain, so "
                "that tuning can only lose",
            )
        elif _at_chance(row):
            yield Flag(
                id="at-chance",
                text=f"{row.task}: the base does not differ from guessing, so that tuning can "
                "only gain",
            )
    if shared := sorted(t for t in evidence.contaminated if _is_part(t, row.task)):
        yield Flag(
            id="contaminated",
            text=f"training examples share text with {', '.join(shared)}",
        )


def _at_chance(row: TaskTax) -> bool:
    """Whether guessing, or giving no right answer at all, does as well as the base."""
    if row.base is None or row.scale is None or not row.span or not row.higher_is_better:
        return False
    floor = row.scale[0] + (row.chance or 0) * row.span
    return row.base.low <= floor


def _is_part(task: str, whole: str) -> bool:
    """Whether a task is that one, or one of a group such as mmlu."""
    return task == whole or task.startswith(f"{whole}_")
