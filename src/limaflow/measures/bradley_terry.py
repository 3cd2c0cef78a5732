"""Strengths of several models from their comparisons in pairs.

Bradley & Terry 1952 (doi:10.2307/2334029): the log-odds that one wins over another are the
difference of their strengths. A tie is half a win for each.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from limaflow.intervals import Array, Interval, NotEstimable, Resampling, Statistic
from limaflow.measures.logistic import fit


@dataclass(frozen=True, kw_only=True)
class Contest:
    """Two models on one prompt; `share` is what the first one won, a tie counting ½."""

    prompt_id: str
    first: str
    second: str
    share: float


def estimates(contests: Sequence[Contest]) -> dict[str, float]:
    """Model → log-odds of a win over the average of the models; all of them sum to 0.

    Raises:
        NotEstimable: some of the models never met, or never lost to, the others (separation: Ford
            1957, doi:10.2307/2308513).
    """
    models, prompts, centred = _fitted(contests)
    found = centred(np.ones((1, prompts)))[0]
    if np.isnan(found).any():
        raise NotEstimable("the data determine no value")
    return dict(zip(models, found.tolist(), strict=True))


def strengths(contests: Sequence[Contest], resampling: Resampling) -> dict[str, Interval]:
    """The same with intervals: prompts are resampled, each with its contests of every pair.

    Raises:
        NotEstimable: as `estimates`; too many resamples have none.
    """
    models, prompts, centred = _fitted(contests)
    return dict(zip(models, resampling.intervals(centred, prompts), strict=True))


def _fitted(contests: Sequence[Contest]) -> tuple[list[str], int, Statistic]:
    """The models, the number of prompts, and the strengths as a statistic of their weights."""
    models = sorted({name for c in contests for name in (c.first, c.second)})
    _refuse(contests, models)
    ids = sorted({contest.prompt_id for contest in contests})
    pairs = sorted({(contest.first, contest.second) for contest in contests})
    place = {prompt_id: n for n, prompt_id in enumerate(ids)}
    column = {pair: n for n, pair in enumerate(pairs)}
    # How often each pair met, and what its first one won, are all that the strengths depend on.
    met, won = np.zeros((2, len(ids), len(pairs)))
    for c in contests:
        met[place[c.prompt_id], column[c.first, c.second]] += 1
        won[place[c.prompt_id], column[c.first, c.second]] += c.share
    number = {name: n for n, name in enumerate(models)}
    design = np.zeros((len(pairs), len(models)))
    for row, (one, other) in enumerate(pairs):
        design[row, number[one]] = 1
        design[row, number[other]] = -1
    # The first model is held at 0, since only differences are determined; the mean is taken out
    # afterwards.
    free = design[:, 1:]

    def centred(weights: Array) -> Array:
        times, wins = weights @ met, weights @ won
        found = fit(free, wins / np.maximum(times, 1), times)
        found = np.column_stack([np.zeros(len(found)), found])
        return np.asarray(found - found.mean(axis=1, keepdims=True))

    return models, len(ids), centred


def _refuse(contests: Sequence[Contest], models: Sequence[str]) -> None:
    """Raise unless a chain of wins or ties leads from each model to each other."""
    beaten: dict[str, set[str]] = {name: set() for name in models}
    met: dict[str, set[str]] = {name: set() for name in models}
    for c in contests:
        met[c.first].add(c.second)
        met[c.second].add(c.first)
        if c.share > 0:
            beaten[c.first].add(c.second)
        if c.share < 1:
            beaten[c.second].add(c.first)
    for name in models:
        strangers = set(models) - _reached(name, met)
        if strangers:
            raise NotEstimable(f"no comparison links {_listed(strangers)} with '{name}'")
    for name in models:
        above = set(models) - _reached(name, beaten)
        if above:
            raise NotEstimable(
                f"{_listed(set(models) - above)} never won or tied against {_listed(above)} "
                "(separation)"
            )


def _reached(start: str, edges: dict[str, set[str]]) -> set[str]:
    seen: set[str] = set()
    todo = [start]
    while todo:
        name = todo.pop()
        if name not in seen:
            seen.add(name)
            todo += edges[name]
    return seen


def _listed(names: set[str]) -> str:
    return ", ".join(f"'{name}'" for name in sorted(names))
