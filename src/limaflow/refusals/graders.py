"""Graders held against one whose grades are taken for true, by any instrument that grades.

κ, AC1 and the recall of each word, as of refusals (`agreement.py`): where one word is rare κ falls
whatever a grader does, and agreement alone hides which word it misses.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from limaflow.errors import InputError, listed
from limaflow.intervals import Array, Interval, NotEstimable, Resampling
from limaflow.measures.agreement_coefficients import Coefficient, cohen_kappa, gwet_ac1, rated
from limaflow.records import Grade
from limaflow.refusals.agreement import Recall


@dataclass(frozen=True, kw_only=True)
class Grader:
    """How a grader's words compare with the true ones; None where it is not estimable."""

    truth: str
    grader: str
    answers: int
    """That both have graded."""
    unreadable: int
    """With a true grade and none of the grader's that can be read."""
    agreement: Interval
    kappa: Interval | None
    ac1: Interval | None
    recalls: list[Recall]


def against(
    grades: Sequence[Grade], truth: str, words: Mapping[str, int], resampling: Resampling
) -> list[Grader]:
    """Every other annotator that graded an answer with a true grade, by name; over prompts.

    Args:
        words: of the instrument → its value.

    Raises:
        InputError: nobody is named so, the grades are on several scales or off the instrument's,
            or someone graded an answer twice.
    """
    if len({grade.scale for grade in grades}) > 1:
        raise InputError(f"grades on several scales: {listed({g.scale for g in grades})}")
    given: dict[str, dict[tuple[str, str], int | None]] = defaultdict(dict)
    for grade in grades:
        if grade.value is not None and grade.value not in words.values():
            raise InputError(f"'{grade.annotator}', {grade.prompt_id}: no word is {grade.value}")
        if (grade.prompt_id, grade.response_id) in given[grade.annotator]:
            raise InputError(f"'{grade.annotator}' graded {grade.prompt_id} twice")
        given[grade.annotator][grade.prompt_id, grade.response_id] = grade.value
    if truth not in given:
        raise InputError(f"no grade is by '{truth}'", fix=f"there are {listed(given)}")
    true = {item: value for item, value in given[truth].items() if value is not None}
    return [
        _held(true, given[name], words, resampling, truth=truth, grader=name)
        for name in sorted(given.keys() - {truth})
        if any(given[name].get(item) is not None for item in true)
    ]


def _held(
    true: Mapping[tuple[str, str], int],
    said: Mapping[tuple[str, str], int | None],
    words: Mapping[str, int],
    resampling: Resampling,
    *,
    truth: str,
    grader: str,
) -> Grader:
    own = resampling.seeded("graders", truth, grader)
    levels = sorted(words.values())
    both = [(i, true[i], v) for i in sorted(true) if (v := said.get(i)) is not None]
    _, clusters = np.unique([item[0] for item, _, _ in both], return_inverse=True)
    codes = np.array([[levels.index(t), levels.index(s)] for _, t, s in both])
    ratings, alike = rated(codes, len(levels)), codes[:, 0] == codes[:, 1]
    recalls = []
    for word, value in words.items():
        of_word = codes[:, 0] == levels.index(value)
        if of_word.any():
            recalls.append(
                Recall(
                    label=word,
                    answers=int(of_word.sum()),
                    found=int((of_word & alike).sum()),
                    recall=own.share(
                        _summed(of_word & alike, clusters), _summed(of_word, clusters)
                    ),
                )
            )
    return Grader(
        truth=truth,
        grader=grader,
        answers=len(both),
        unreadable=sum(item in said and said[item] is None for item in true),
        agreement=own.share(_summed(alike, clusters), _summed(np.ones_like(alike), clusters)),
        kappa=_coefficient(cohen_kappa(ratings), clusters, own),
        ac1=_coefficient(gwet_ac1(ratings), clusters, own),
        recalls=recalls,
    )


def _summed(values: NDArray[np.bool_], clusters: NDArray[np.int64]) -> Array:
    return np.bincount(clusters, weights=values.astype(float)).astype(np.float64)


def _coefficient(
    found: Coefficient, clusters: NDArray[np.int64], own: Resampling
) -> Interval | None:
    try:
        return found.interval(clusters, own)
    except NotEstimable:
        return None
