"""Logistic regression on shares, fitted once for every set of weights at the same time.

Outcomes are shares from 0 to 1 (a tie is ½), which the likelihood of the logistic model takes as
they are. No penalty: where the data separate there is no finite fit, and none is made up.
"""

import numpy as np

from limaflow.intervals import Array

MOST_STEPS = 50
TOLERANCE = 1e-8
LARGEST = 30.0
"""Log-odds beyond this mean that the data separate: nobody's chance is 10⁻¹³."""


def fit(design: Array, shares: Array, weights: Array) -> Array:
    """Coefficients (rounds × columns) by Newton's method; a round that does not converge is NaN.

    Args:
        design: rows × columns.
        shares: outcome of each row, from 0 to 1; the same in all rounds, or rounds × rows.
        weights: rounds × rows.
    """
    columns = design.shape[1]
    found = np.zeros((len(weights), columns))
    going = np.ones(len(weights), dtype=bool)
    failed = np.zeros(len(weights), dtype=bool)
    shares = np.broadcast_to(shares, weights.shape)
    for _ in range(MOST_STEPS):
        expected = 1 / (1 + np.exp(-(found[going] @ design.T)))
        gradient = (weights[going] * (shares[going] - expected)) @ design
        spread = weights[going] * expected * (1 - expected)
        # Products of the columns of each row, so that all curvatures are one matrix product.
        products = (design[:, :, None] * design[:, None, :]).reshape(len(design), -1)
        curvature = (spread @ products).reshape(-1, columns, columns)
        total = weights[going].sum(axis=1)
        steps = np.full_like(gradient, np.nan)
        # A curvature that is nearly singular next to the data's weight holds no finite optimum.
        sound = np.linalg.eigvalsh(curvature)[:, 0] > 1e-9 * total
        steps[sound] = np.linalg.solve(curvature[sound], gradient[sound][:, :, None])[:, :, 0]
        moved = found[going] + np.clip(steps, -2, 2)
        places = np.flatnonzero(going)
        found[places] = moved
        lost = ~sound | (np.abs(moved).max(axis=1) > LARGEST)
        done = np.abs(steps).max(axis=1) < TOLERANCE
        failed[places[lost]] = True
        going[places[lost | done]] = False
        if not going.any():
            break
    found[failed | going] = np.nan
    return found
