"""How far a grader's classes agree with those of others on the same answers.

κ falls where one class is rare, whatever the grader does (Feinstein & Cicchetti 1990,
doi:10.1016/0895-4356(90)90158-L). So AC1 and the recall of each class stand beside it.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from limaflow.errors import InputError
from limaflow.intervals import Array, Interval, NotEstimable, Resampling
from limaflow.measures.agreement_coefficients import (
    Coefficient,
    cohen_kappa,
    gwet_ac1,
    rated,
)
from limaflow.refusals.classes import CLASSES, Class, refuses
from limaflow.refusals.correction import Confusion


@dataclass(frozen=True, kw_only=True)
class Pair:
    """What is true of an answer, and what a grader says; None where that could not be read."""

    prompt: str
    true: Class
    graded: Class | None


@dataclass(frozen=True, kw_only=True)
class Cell:
    """Answers of a true class that a grader puts into a class; None: into none."""

    true: Class
    graded: Class | None
    answers: int


@dataclass(frozen=True, kw_only=True)
class Recall:
    """The share of a class that the grader finds."""

    label: str
    """A class, or `any refusal` and `no refusal`."""
    answers: int
    found: int
    recall: Interval


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """How a grader's classes compare with the true ones; None where it is not estimable."""

    arm: str
    truth: str
    """Who gave the true classes; `grader` likewise."""
    grader: str
    prompts: int
    answers: int
    """That both have put into a class."""
    unreadable: int
    """With a true class and no readable one of the grader; in none of the numbers but `cells`."""
    cells: list[Cell]
    recalls: list[Recall]
    agreement: Interval
    """The share of answers in the same class."""
    kappa: Interval | None
    ac1: Interval | None
    binary_agreement: Interval
    """The same of any refusal against all else."""
    binary_kappa: Interval | None
    binary_ac1: Interval | None
    confusion: Confusion


def agreement(
    pairs: Sequence[Pair], resampling: Resampling, *, arm: str, truth: str, grader: str
) -> Agreement:
    """Compare, with intervals over prompts.

    Raises:
        InputError: no answer has both classes.
    """
    read = [(pair, pair.graded) for pair in pairs if pair.graded is not None]
    if not read:
        raise InputError(f"no answer of '{arm}' has a class of both '{truth}' and '{grader}'")
    true, said = [pair.true for pair, _ in read], [graded for _, graded in read]
    _, clusters = np.unique([pair.prompt for pair, _ in read], return_inverse=True)
    drawn = resampling.seeded("refusals", arm, truth, grader)
    seen = [label for label in CLASSES if label in (*true, *said)]
    codes = np.array([[seen.index(t), seen.index(s)] for t, s in zip(true, said, strict=True)])
    both = np.array([[refuses(t), refuses(s)] for t, s in zip(true, said, strict=True)]).astype(int)
    of_classes, binary = rated(codes, max(len(seen), 2)), rated(both, 2)
    counted = Counter((pair.true, pair.graded) for pair in pairs)
    return Agreement(
        arm=arm,
        truth=truth,
        grader=grader,
        prompts=int(clusters.max()) + 1,
        answers=len(read),
        unreadable=len(pairs) - len(read),
        cells=[
            Cell(true=one, graded=other, answers=counted[one, other])
            for one in CLASSES
            for other in (*CLASSES, None)
            if counted[one, other]
        ],
        recalls=_recalls(true, said, clusters, drawn),
        agreement=_share(codes[:, 0] == codes[:, 1], clusters, drawn),
        kappa=_coefficient(cohen_kappa(of_classes), clusters, drawn),
        ac1=_coefficient(gwet_ac1(of_classes), clusters, drawn),
        binary_agreement=_share(both[:, 0] == both[:, 1], clusters, drawn),
        binary_kappa=_coefficient(cohen_kappa(binary), clusters, drawn),
        binary_ac1=_coefficient(gwet_ac1(binary), clusters, drawn),
        confusion=confusion_of(pairs),
    )


def confusion_of(pairs: Sequence[Pair]) -> Confusion:
    """Any refusal against all else, on the answers that have both classes."""
    counted = Counter(
        (refuses(pair.true), refuses(pair.graded)) for pair in pairs if pair.graded is not None
    )
    return Confusion(
        found=counted[True, True],
        missed=counted[True, False],
        false=counted[False, True],
        right=counted[False, False],
    )


def _recalls(
    true: Sequence[Class], said: Sequence[Class], clusters: NDArray[np.int64], drawn: Resampling
) -> list[Recall]:
    found = []
    kinds: dict[str, set[Class]] = {label: {label} for label in CLASSES}
    kinds["any refusal"] = {label for label in CLASSES if refuses(label)}
    kinds["no refusal"] = set(CLASSES) - kinds["any refusal"]
    for label, kind in kinds.items():
        of_label = np.array([one in kind for one in true])
        if not of_label.any():
            continue
        hit = of_label & np.array([one in kind for one in said])
        found.append(
            Recall(
                label=label,
                answers=int(of_label.sum()),
                found=int(hit.sum()),
                recall=drawn.share(_summed(hit, clusters), _summed(of_label, clusters)),
            )
        )
    return found


def _share(alike: NDArray[np.bool_], clusters: NDArray[np.int64], drawn: Resampling) -> Interval:
    return drawn.share(_summed(alike, clusters), _summed(np.ones_like(alike), clusters))


def _summed(values: NDArray[np.bool_], clusters: NDArray[np.int64]) -> Array:
    return np.bincount(clusters, weights=values.astype(float)).astype(np.float64)


def _coefficient(
    found: Coefficient, clusters: NDArray[np.int64], drawn: Resampling
) -> Interval | None:
    try:
        return found.interval(clusters, drawn)
    except NotEstimable:
        return None
