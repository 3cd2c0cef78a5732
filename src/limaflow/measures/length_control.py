"""What length does to a judge, and a win rate with length taken out.

The win rate at equal length is that of a logistic regression of each outcome on the difference in
length alone: the idea of length-controlled AlpacaEval (Dubois et al. 2024, arXiv 2404.04475)
without its table of instruction difficulties, which ties that one to its own 805 prompts. It is
another number: over AlpacaEval's models its rank correlation with theirs is .93 to .94, on
AlpacaEval 2 below the .97 of the raw rate.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from limaflow.intervals import Array, Interval, NotEstimable, Resampling
from limaflow.measures.logistic import fit
from limaflow.measures.positions import per_prompt
from limaflow.records import Verdict

METHOD = "regression on the difference in length alone; not AlpacaEval's"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One sample of one prompt."""

    prompt_id: str
    share: float
    """Won, a tie counting ½."""
    longer_by: float
    """Length of the model's response minus that of the other's, in characters."""


def longer_chosen(verdicts: Iterable[Verdict], chars: Mapping[str, int]) -> tuple[Array, Array]:
    """Decided verdicts for the longer response, and all on responses of unequal length, by prompt.

    Args:
        chars: response id → length in characters.
    """
    hits: Counter[str] = Counter()
    decided: Counter[str] = Counter()
    for verdict in verdicts:
        longer = chars[verdict.first_response_id] - chars[verdict.second_response_id]
        if verdict.choice in {"first", "second"} and longer:
            decided[verdict.prompt_id] += 1
            hits[verdict.prompt_id] += (verdict.choice == "first") == (longer > 0)
    return per_prompt(hits, decided)


def length_controlled_win(outcomes: Sequence[Outcome], resampling: Resampling) -> Interval:
    """Expected share won (a tie is ½) against answers of equal length, by resampling prompts.

    Samples of one prompt share its weight.

    Raises:
        NotEstimable: lengths never differ, or only ever in one direction; the outcome is always the
            same; the length alone tells who wins (separation).
    """
    ids = sorted({outcome.prompt_id for outcome in outcomes})
    place = {prompt_id: number for number, prompt_id in enumerate(ids)}
    prompts = np.array([place[outcome.prompt_id] for outcome in outcomes])
    shares = np.array([outcome.share for outcome in outcomes])
    differences = np.array([outcome.longer_by for outcome in outcomes], dtype=np.float64)
    _refuse(shares, differences)
    # In units of their own spread, for the sake of the fit; the value at 0 is the same in any.
    design = np.column_stack([np.ones(len(outcomes)), differences / differences.std()])
    part = 1 / np.bincount(prompts)[prompts]

    def at_equal_length(weights: Array) -> Array:
        intercept = fit(design, shares, weights[:, prompts] * part)[:, 0]
        share: Array = 1 / (1 + np.exp(-intercept))
        return share

    return resampling.interval(at_equal_length, len(ids))


def _refuse(shares: Array, differences: Array) -> None:
    if not len(shares) or np.ptp(differences) == 0:
        raise NotEstimable("the responses never differ in length by more or less")
    if not differences.min() <= 0 <= differences.max():
        which = "longer" if differences.min() > 0 else "shorter"
        raise NotEstimable(f"one model's responses are always {which}: none are of equal length")
    if np.ptp(shares) == 0:
        raise NotEstimable("every prompt has the same outcome, so that length can explain nothing")
    won, lost = differences[shares > 0], differences[shares < 1]
    if won.min() >= lost.max() or lost.min() >= won.max():
        raise NotEstimable("the difference in length alone tells who wins (separation)")
