"""Who agrees with whom on grades: of people, of people with models, of a judge with itself.

An item is one response. Where a scale is ordered, to be one level apart is less of a disagreement
than two.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import combinations

import numpy as np

from limaflow.errors import InputError, shortened
from limaflow.intervals import Interval, NotEstimable, Resampling
from limaflow.judging.instrument import Instrument
from limaflow.measures.agreement_coefficients import (
    Coefficient,
    cohen_kappa,
    krippendorff_alpha,
    quadratic,
)
from limaflow.measures.grade_means import instrument_of
from limaflow.measures.ratings import (
    MOST_PAIRS,
    Ratings,
    beyond_within,
    hasty_of,
    members_of,
    shared,
    summed,
    with_hasty,
)
from limaflow.measures.summaries import GradeAgreement, Relation
from limaflow.records import Grade

Item = tuple[str, str]
"""Prompt and response."""
Levels = dict[Item, tuple[float, ...]]
"""Item → 1 at the level it was given, 0 elsewhere."""


def grade_agreements(
    files: Sequence[Sequence[Grade]],
    groups: Mapping[str, Sequence[str]],
    instruments: Mapping[str, Instrument],
    resampling: Resampling,
) -> list[GradeAgreement]:
    """By each instrument: pairs of annotators, groups, pairs of groups, and each judge with itself.

    Args:
        files: grades of each file. What an annotator grades again in another file is another pass.
        groups: name → annotators, such as crowd, authors, models; `expert_*` is all of such names.

    Raises:
        InputError: a file holds one grade twice, a group names an unknown annotator, or as
            `instrument_of`.
    """
    known = {grade.annotator for grades in files for grade in grades}
    members = members_of(groups, known)
    found = []
    by_instrument: dict[tuple[str, str], list[list[Grade]]] = defaultdict(list)
    for grades in files:
        of_file: dict[tuple[str, str], list[Grade]] = defaultdict(list)
        for grade in grades:
            of_file[grade.scale, grade.instrument].append(grade)
        for used, given in of_file.items():
            by_instrument[used].append(given)
    for (scale, _), passes in sorted(by_instrument.items()):
        instrument = instrument_of(passes[0][0], instruments)
        ratings = _ratings(passes, instrument)
        rows = _of_instrument(instrument, ratings, members, resampling.seeded("agreement", scale))
        found += with_hasty(rows, hasty_of(g for grades in passes for g in grades), members)
    return found


def _ratings(files: Sequence[Sequence[Grade]], instrument: Instrument) -> dict[str, list[Levels]]:
    """Annotator → passes over the material; failed grades are left out."""
    levels = sorted(instrument.head.words.values())
    passes_of: dict[str, list[Levels]] = defaultdict(list)
    for grades in files:
        seen: dict[str, dict[Item, int | None]] = defaultdict(dict)
        for grade in grades:
            item = (grade.prompt_id, grade.response_id)
            if item in seen[grade.annotator]:
                raise InputError(
                    f"prompt {shortened(grade.prompt_id)}, sample {grade.sample}: two grades of "
                    f"'{shortened(grade.annotator)}' for one response of "
                    f"'{shortened(grade.model)}' in one file",
                    fix="put what was graded again into a file of its own",
                )
            if grade.value is not None and grade.value not in levels:
                raise InputError(
                    f"prompt {shortened(grade.prompt_id)}, sample {grade.sample}: the scale has no "
                    f"{grade.value}"
                )
            seen[grade.annotator][item] = grade.value
        for annotator, values in seen.items():
            given = {item: value for item, value in values.items() if value is not None}
            rated = {i: tuple(float(v == level) for level in levels) for i, v in given.items()}
            _lay(passes_of[annotator], rated)
    return passes_of


def _lay(passes: list[Levels], items: Levels) -> None:
    """Put each grade into the first pass that holds none of its item yet."""
    for item, rating in items.items():
        free = next((p for p in passes if item not in p), None)
        if free is None:
            passes.append({item: rating})
        else:
            free[item] = rating


def _of_instrument(
    instrument: Instrument,
    passes_of: Mapping[str, list[Levels]],
    members: Mapping[str, list[str]],
    resampling: Resampling,
) -> list[GradeAgreement]:
    levels = len(instrument.head.words)
    ratings = shared({name: passes[0] for name, passes in passes_of.items() if passes}, levels)
    row = partial(_row, instrument=instrument, drawn=resampling)
    found = []
    pairs = ratings.pairs()
    if len(pairs) <= MOST_PAIRS:
        found += [row("pair", p, ratings.of(p)) for p in pairs]
    parts = {name: ratings.of(annotators) for name, annotators in members.items()}
    for name, part in parts.items():
        if part.compared(None).any():
            found.append(row("within", (name, name), part))
    for (one, ours), (other, theirs) in combinations(parts.items(), 2):
        if ours.compared(theirs).any():
            across = row("between", (one, other), ours, theirs)
            beyond = beyond_within(ours, theirs, ratings.same, resampling)
            found.append(replace(across, minus_first=beyond))
    for name, passes in sorted(passes_of.items()):
        again = shared({str(n): rated for n, rated in enumerate(passes)}, levels)
        if len(again.prompts):
            found.append(row("passes", (name, name), again))
    return found


def _row(
    relation: Relation,
    who: tuple[str, str],
    ratings: Ratings,
    others: Ratings | None = None,
    *,
    instrument: Instrument,
    drawn: Resampling,
) -> GradeAgreement:
    """The grades of items that two of these graded, or one of these and one of the others."""
    kept = ratings.compared(others) > 0
    shares = ratings.shares[kept]
    prompts, clusters = np.unique(ratings.prompts[kept], return_inverse=True)
    ordered = instrument.head.ordered
    near = quadratic(shares.shape[2]) if ordered else ratings.same

    def share(score: np.ndarray) -> Interval:
        parts, wholes = (ratings.scored(others, s)[kept] for s in (score, ratings.any))
        return drawn.share(summed(clusters, parts), summed(clusters, wholes))

    def optional(coefficient: Callable[[], Coefficient], applies: bool) -> Interval | None:
        if not applies:
            return None
        try:
            return coefficient().interval(clusters, drawn)
        except NotEstimable:
            return None

    everyone = {*ratings.annotators, *(others.annotators if others else ())}
    alone = others is None
    return GradeAgreement(
        relation=relation,
        instrument=instrument.name,
        title=instrument.head.title,
        scale=instrument.head.scale,
        ordered=ordered,
        first=who[0],
        second=who[1],
        annotators=len(everyone),
        items=int(kept.sum()),
        prompts=len(prompts),
        agreement=share(ratings.same),
        weights="quadratic" if ordered else "none",
        cohen=optional(lambda: cohen_kappa(shares, near), alone and len(everyone) == 2),
        metric="ordinal" if ordered else "nominal",
        alpha=optional(lambda: krippendorff_alpha(shares, ordinal=ordered), alone),
    )
