"""What part of the LIMA arm's gain in grade over the base another arm reaches."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np

from limaflow.intervals import Array, Interval, NotEstimable, Resampling, ratio_of
from limaflow.records import Grade


@dataclass(frozen=True, kw_only=True)
class ShareOfGain:
    """One arm by one judge: (arm − base) / (LIMA arm − base), over the prompts of all three."""

    judge: str
    arm: str
    prompts: int
    gain: Interval
    """Of the LIMA arm over the base, in grades."""
    share: Interval | None
    refused: str = ""
    """Why there is no share."""


def shares_of_gain(
    grades: Iterable[Grade],
    *,
    lima: str,
    base: str,
    arms: Sequence[str],
    span: float,
    resampling: Resampling,
) -> list[ShareOfGain]:
    """The share of each arm by each judge; grades of one prompt's samples are averaged first.

    The bootstrap draws prompts with the three grades of each. There is no share where the whole
    interval of the gain does not lie above 0: a ratio to nothing says nothing.

    Args:
        span: highest minus lowest value of the scale.
    """
    values: dict[tuple[str, str], dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for grade in grades:
        if grade.value is not None and grade.model in (lima, base, *arms):
            values[grade.annotator, grade.model][grade.prompt_id].append(grade.value)
    found = []
    for judge in sorted({judge for judge, _ in values}):
        for arm in arms:
            three = [values.get((judge, name), {}) for name in (arm, lima, base)]
            prompts = sorted(set.intersection(*(set(one) for one in three)))
            if prompts:
                theirs, ours, before = (
                    np.array([fmean(one[prompt]) for prompt in prompts]) for one in three
                )
                resample = resampling.seeded("share-of-gain", judge, arm)
                gain = resample.mean(ours - before, -span, span)
                share, refused = _ratio(theirs - before, ours - before, gain, resample)
                found.append(
                    ShareOfGain(
                        judge=judge,
                        arm=arm,
                        prompts=len(prompts),
                        gain=gain,
                        share=share,
                        refused=refused,
                    )
                )
    return found


def _ratio(
    reached: Array, gained: Array, gain: Interval, resampling: Resampling
) -> tuple[Interval | None, str]:
    """Sum of `reached` over sum of `gained`, or why there is none."""
    if gain.low <= 0:
        return None, (
            f"the LIMA arm's gain over the base, {gain.estimate:.2f} "
            f"[{gain.low:.2f}, {gain.high:.2f}] grades, is not surely above 0"
        )
    try:
        return resampling.interval(ratio_of(reached, gained), len(gained)), ""
    except NotEstimable as reason:
        return None, str(reason)
