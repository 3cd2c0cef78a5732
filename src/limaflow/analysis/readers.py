"""What several readers find in the same replies: the task's own match, rules, models and people.

Whether a reply gives the right answer depends on who reads it, and so does the tax. Each reader's
difference stands beside that by exact match of the same items. How far two readers agree is stated
for each model, since an agreement on the base's replies does not carry over to those of a tuned
model, which are of another form.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from limaflow.analysis.measured_tasks import Measured
from limaflow.errors import InputError
from limaflow.intervals import Interval, NotEstimable, Resampling
from limaflow.measures.agreement_coefficients import cohen_kappa, rated
from limaflow.measures.significance import loss_test
from limaflow.measures.summaries import ReaderAgreement, ReaderKind, ReaderTax
from limaflow.measures.who_judged import kind_of
from limaflow.records import AnswerGrade, BenchmarkItem
from limaflow.seeds import seed_for

Values = NDArray[np.float64]
Pairs = Sequence[tuple[BenchmarkItem, BenchmarkItem]]
Asked = tuple[str, str, str]
"""Model, format and task."""
EXACT, RULES = "exact match", "rules"
NO_GRADE = AnswerGrade(prompt_id="", sample=0, annotator="", task="", model="")
FEWEST = 2
"""Replies that two readers both judged, for an agreement."""


@dataclass(frozen=True)
class Readings:
    """What graders say: reader → model, format and task → item → grade."""

    grades: Mapping[str, Mapping[Asked, Mapping[str, AnswerGrade]]]
    kinds: Mapping[str, ReaderKind]


def readings_of(graded: Iterable[AnswerGrade]) -> Readings:
    """Grades by reader and reply.

    Raises:
        InputError: a reader grades a reply twice.
    """
    found: dict[str, dict[Asked, dict[str, AnswerGrade]]] = defaultdict(dict)
    kinds: dict[str, ReaderKind] = {}
    for grade in graded:
        asked = (grade.model, grade.format, grade.task)
        of_task = found[grade.annotator].setdefault(asked, {})
        if grade.prompt_id in of_task:
            raise InputError(f"{_named(grade)} is graded twice")
        of_task[grade.prompt_id] = grade
        if grade.error is None or grade.annotator not in kinds:
            kinds[grade.annotator] = kind_of(grade)
    return Readings(found, kinds)


def check_graded(readings: Readings, formats: Sequence[Measured]) -> None:
    """See that all that is graded of one model was measured.

    Raises:
        InputError: a task, an item or a format was not, or the graded reply was another.
    """
    items = {
        (one.arm, one.format, task): scored.items
        for one in formats
        for task, scored in one.tasks.items()
    }
    for of_reader in readings.grades.values():
        for asked, grades in of_reader.items():
            for grade in grades.values() if asked[0] == formats[0].arm else ():
                item = items.get(asked, {}).get(grade.prompt_id)
                if item is None:
                    raise InputError(f"{_named(grade)} is graded, and was not measured")
                if grade.response_id and item.response_id not in ("", grade.response_id):
                    raise InputError(f"{_named(grade)} is graded, and the model replied otherwise")


def check_models(readings: Readings, arms: Iterable[str]) -> None:
    """See that no model is graded that was not measured.

    Raises:
        InputError: one is.
    """
    graded = {model for of_reader in readings.grades.values() for model, _, _ in of_reader}
    if others := sorted(graded - set(arms)):
        raise InputError(f"replies of '{others[0]}' are graded, and it was not measured")


def _named(grade: AnswerGrade) -> str:
    return f"task '{grade.task}': item {grade.prompt_id} of '{grade.model}' by {grade.annotator}"


@dataclass(frozen=True)
class _Reader:
    """What one reader says of the replies of the base (row 0) and of the arm (row 1)."""

    name: str
    kind: ReaderKind
    right: Values
    """2 × items: 1 right, 0 wrong, NaN where there is no judgment."""
    no_answer: NDArray[np.bool_]


def readers_of(
    pairs: Pairs, models: tuple[Measured, Measured], readings: Readings, resampling: Resampling
) -> tuple[tuple[ReaderTax, ...], tuple[ReaderAgreement, ...]]:
    """Each reader's difference on one task, and the agreement of each two.

    Nothing where exact match is the only reader.

    Args:
        pairs: of one task, with scores from 0 to 1.
        models: base and arm.
    """
    exact = np.array([[pair[row].value for pair in pairs] for row in (0, 1)])
    unread = np.array([[pair[row].unread for pair in pairs] for row in (0, 1)])
    found = [_Reader(EXACT, "exact match", exact, unread), *_by_rules(pairs)]
    for name in sorted(readings.grades):
        found += _by_grader(name, pairs, models, readings)
    if len(found) == 1:
        return (), ()
    weights = np.array([one.weight for one, _ in pairs])
    taxes = [_tax(reader, exact, weights, resampling) for reader in found]
    return (
        tuple(tax for tax in taxes if tax),
        tuple(
            agreement
            for row, model in enumerate(models)
            for one, other in combinations(found, 2)
            if (agreement := _agreement(model.arm, row, one, other, resampling))
        ),
    )


def _by_rules(pairs: Pairs) -> list[_Reader]:
    lenient = np.array(
        [
            [np.nan if pair[row].lenient is None else pair[row].lenient for pair in pairs]
            for row in (0, 1)
        ],
        dtype=np.float64,
    )
    if np.isnan(lenient).all():
        return []
    return [_Reader(RULES, "rules", lenient, np.zeros_like(lenient, dtype=bool))]


def _by_grader(
    name: str, pairs: Pairs, models: tuple[Measured, Measured], readings: Readings
) -> list[_Reader]:
    task = pairs[0][0].task
    grades = [
        [of_task.get(pair[row].item_id, NO_GRADE) for pair in pairs]
        for row, model in enumerate(models)
        for of_task in [readings.grades[name].get((model.arm, model.format, task), {})]
    ]
    right = np.array(
        [[np.nan if g.right is None else g.right for g in of_model] for of_model in grades],
        dtype=np.float64,
    )
    if np.isnan(right).all():
        return []
    silent = np.array([[grade.no_answer for grade in of_model] for of_model in grades])
    return [_Reader(name, readings.kinds[name], right, silent)]


def _tax(
    reader: _Reader, exact: Values, weights: Values, resampling: Resampling
) -> ReaderTax | None:
    """None where the reader judged no item's two replies."""
    judged = ~np.isnan(reader.right)
    both = judged.all(axis=0)
    if not both.any():
        return None
    base, tuned = reader.right[:, both]
    kept = weights[both]
    by_match = exact[1, both] - exact[0, both]
    form = by_match - (tuned - base)
    unsure, silent = (~judged).sum(axis=1), (reader.no_answer & judged).sum(axis=1)
    return ReaderTax(
        reader=reader.name,
        kind=reader.kind,
        items=int(both.sum()),
        unsure_base=int(unsure[0]),
        unsure_tuned=int(unsure[1]),
        no_answer_base=int(silent[0]),
        no_answer_tuned=int(silent[1]),
        base=resampling.mean(base, 0, 1, kept),
        tuned=resampling.mean(tuned, 0, 1, kept),
        difference=resampling.mean(tuned - base, -1, 1, kept),
        loss_p_value=loss_test((tuned - base) * kept, resampling.seed),
        exact_match=resampling.mean(by_match, -1, 1, kept),
        format=None if reader.name == EXACT else resampling.mean(form, -2, 2, kept),
        format_loss_p=None if reader.name == EXACT else loss_test(form * kept, resampling.seed),
    )


def _agreement(
    model: str, row: int, one: _Reader, other: _Reader, resampling: Resampling
) -> ReaderAgreement | None:
    """None where the two judged too few replies in common, or score them otherwise than 0 and 1."""
    both = ~np.isnan(one.right[row]) & ~np.isnan(other.right[row])
    first, second = one.right[row, both], other.right[row, both]
    if both.sum() < FEWEST or not np.isin([first, second], (0, 1)).all():
        return None
    seed = seed_for(resampling.seed, "readers", model, one.name, other.name)
    drawn = Resampling(rounds=resampling.rounds, confidence=resampling.confidence, seed=seed)
    return ReaderAgreement(
        model=model,
        first=one.name,
        second=other.name,
        both_right=int((first * second).sum()),
        first_alone=int((first * (1 - second)).sum()),
        second_alone=int((second * (1 - first)).sum()),
        both_wrong=int(((1 - first) * (1 - second)).sum()),
        agreement=drawn.mean((first == second).astype(np.float64), 0, 1),
        cohen=_kappa(first, second, drawn),
    )


def _kappa(first: Values, second: Values, resampling: Resampling) -> Interval | None:
    codes = np.column_stack([first, second]).astype(np.int64)
    try:
        return cohen_kappa(rated(codes, 2)).interval(np.arange(len(codes)), resampling)
    except NotEstimable:
        return None
