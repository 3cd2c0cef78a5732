"""Means of benchmark scores whose intervals keep a width where the scale has ends."""

import numpy as np
from numpy.typing import NDArray

from limaflow.intervals import Interval, NotEstimable, Resampling, ratio_of
from limaflow.lm_evaluation.metrics import Scale

Values = NDArray[np.float64]


def scale_ends(scale: Scale | None, scores: Values) -> Scale | None:
    """The scale that intervals keep a width on; None of scores that it says little of.

    Those are scores that are no shares, except where all stand at the ends of a known scale.
    """
    if scale is not None and np.isin(scores, scale).all():
        return scale
    return (0.0, 1.0) if ((scores >= 0) & (scores <= 1)).all() else None


def either_way(ends: Scale | None) -> Scale | None:
    """The ends of a difference of two values between these."""
    return None if ends is None else (ends[0] - ends[1], ends[1] - ends[0])


def scaled_mean(
    values: Values, weights: Values, ends: Scale | None, known: Scale | None, drawn: Resampling
) -> Interval | None:
    """By the ends that say much, else by the bootstrap, else by whatever ends are known.

    None where all values are one and no ends are known, since nothing tells a width.
    """
    if ends is not None:
        return drawn.mean(values, *ends, weights)
    try:
        return drawn.interval(ratio_of(weights * values, weights), len(values))
    except NotEstimable:
        return None if known is None else drawn.mean(values, *known, weights)
