"""The supervised loss of a whole optimizer step, exact however the step is split.

The mean of per-process means is wrong where processes hold unequal numbers of tokens. Here every
trained token carries its weight in the mean over the *whole* step, and parts simply add up.
"""

from collections.abc import Sequence
from typing import Literal

import torch
from torch.nn.functional import cross_entropy


def row_weights(trained: Sequence[int], mean: Literal["token", "example"]) -> list[float]:
    """The weight of one trained token of each example, given every example's number of them.

    `token`: 1 / all trained tokens of the step; `example`: 1 / (examples · tokens of this one).
    """
    if mean == "token":
        return [1 / sum(trained)] * len(trained)
    return [1 / (len(trained) * count) for count in trained]


def weighted_loss(
    logits: torch.Tensor, targets: torch.Tensor, weights: torch.Tensor
) -> torch.Tensor:
    """Sum over trained tokens of weight · negative log-likelihood, a scalar in fp32.

    Args:
        logits: [trained, vocabulary].
        targets: [trained].
        weights: [trained].
    """
    return (cross_entropy(logits.float(), targets, reduction="none") * weights).sum()
