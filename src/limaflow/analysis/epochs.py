"""Perplexity and judged quality over the epochs of one training run: the paper's Figure 9.

The paper picks its checkpoint by quality because perplexity on held-out answers gets worse while
the answers get better.
"""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

import numpy as np
from numpy.typing import ArrayLike

from limaflow.errors import InputError
from limaflow.intervals import Interval, Resampling
from limaflow.jsonl import read_records
from limaflow.judging.instrument import known, numbered_scale
from limaflow.measures.summaries import UNKNOWN, Annotators
from limaflow.measures.who_judged import annotators_of
from limaflow.records import Grade
from limaflow.seeds import seed_for
from limaflow.training.manifest import read_training


@dataclass(frozen=True, kw_only=True)
class EpochPoint:
    """One epoch: dev perplexity, and mean dev grade where its responses were judged."""

    epoch: int
    perplexity: float | None
    quality: Interval | None
    is_chosen: bool = False
    """Whether the arm's model is that of this epoch, where that is asked."""


@dataclass(frozen=True, kw_only=True)
class AfterLowest:
    """Mean dev grade after the last graded epoch minus after the one of lowest dev perplexity."""

    lowest: int
    last: int
    prompts: int
    difference: Interval
    epochs: int
    rise: float = 0.0
    """Perplexity after the last of these epochs over the lowest, minus 1."""
    annotators: Annotators = UNKNOWN
    correlation: float
    """Spearman's, of perplexity and mean grade over the epochs: for reading only, since epochs of
    one run are no independent draws."""


def epoch_curve(
    training: Path, grades: list[Path], *, rounds: int, confidence: float, seed: int
) -> list[EpochPoint]:
    """The points of the figure, in order of epochs; intervals over prompts.

    Raises:
        InputError: a grade names no epoch (`lima@epoch-5`).
    """
    run = read_training(training)
    given = _grades(grades)
    judged, scale = _by_epoch(given), _ends(given)
    return [
        EpochPoint(
            epoch=point.epoch,
            perplexity=point.dev_perplexity,
            quality=Resampling(
                rounds=rounds, confidence=confidence, seed=seed_for(seed, "epochs")
            ).mean(
                np.array([judged[point.epoch][name] for name in sorted(judged[point.epoch])]),
                *scale,
            )
            if judged.get(point.epoch)
            else None,
        )
        for point in sorted(run.epochs, key=lambda point: point.epoch)
    ]


def after_lowest_perplexity(
    training: Path, grades: list[Path], *, rounds: int, confidence: float, seed: int
) -> AfterLowest | None:
    """Whether answers went on getting better when perplexity no longer did; see `AfterLowest`.

    The epochs are picked by perplexity and position, never by grade, so that the difference is
    not the winner's. None if fewer than two epochs have both a perplexity and grades.
    """
    run = read_training(training)
    given = _grades(grades)
    judged = _by_epoch(given)
    points = [
        (p.epoch, p.dev_perplexity)
        for p in sorted(run.epochs, key=lambda p: p.epoch)
        if p.dev_perplexity is not None and judged.get(p.epoch)
    ]
    if len(points) < 2:
        return None
    lowest, least = min(points, key=lambda point: point[1])
    last, perplexity = points[-1]
    prompts = sorted(judged[lowest].keys() & judged[last].keys())
    if not prompts:
        return None
    low, high = _ends(given)
    differences = np.array([judged[last][p] - judged[lowest][p] for p in prompts])
    return AfterLowest(
        lowest=lowest,
        last=last,
        prompts=len(prompts),
        difference=Resampling(
            rounds=rounds, confidence=confidence, seed=seed_for(seed, "after lowest perplexity")
        ).mean(differences, low - high, high - low),
        epochs=len(points),
        rise=perplexity / least - 1,
        annotators=annotators_of([grade for grade, _ in given]),
        correlation=spearman(
            [perplexity for _, perplexity in points],
            [fmean(judged[epoch].values()) for epoch, _ in points],
        ),
    )


def _grades(paths: list[Path]) -> list[tuple[Grade, int]]:
    """All grades, each with its epoch."""
    found = []
    for path in paths:
        for grade in read_records(path, Grade):
            epoch = re.search(r"@epoch-(\d+)$", grade.model)
            if epoch is None:
                raise InputError(f"a grade of '{grade.model}' names no epoch", path=path)
            found.append((grade, int(epoch[1])))
    return found


def _ends(grades: Sequence[tuple[Grade, int]]) -> tuple[float, float]:
    """Lowest and highest value of the grades' scale.

    Of a scale that is neither one of the package's own nor of numbers, those that were given, or
    one step around where all are the same.
    """
    values = [grade.value for grade, _ in grades if grade.value is not None]
    if not values:
        return 0.0, 1.0
    first = grades[0][0]
    instruments = [*known(()).values(), numbered_scale(first.instrument, first.scale)]
    heads = [one.head for one in instruments if one and one.head.scale == first.scale]
    levels = [*heads[0].words.values()] if heads else values
    low, high = min(*levels, *values), max(*levels, *values)
    return (float(low), float(high)) if low < high else (low - 1.0, high + 1.0)


def _by_epoch(grades: list[tuple[Grade, int]]) -> dict[int, dict[str, float]]:
    """Epoch → prompt → mean grade over samples; failed grades are left out."""
    values: dict[int, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for grade, epoch in grades:
        if grade.value is not None:
            values[epoch][grade.prompt_id].append(grade.value)
    return {
        epoch: {prompt: sum(v) / len(v) for prompt, v in prompts.items()}
        for epoch, prompts in values.items()
    }


def spearman(first: ArrayLike, second: ArrayLike) -> float:
    """Pearson's correlation of the ranks, ties sharing their mean rank; NaN without variation."""
    from scipy.stats import rankdata

    one, two = rankdata(first), rankdata(second)
    if one.std() == 0 or two.std() == 0:
        return float("nan")
    return float(np.corrcoef(one, two)[0, 1])
