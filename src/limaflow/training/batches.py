"""Which examples an optimizer step sees, and how they are shared over processes and micro-batches.

A step is `batch_examples` examples of one seeded order an epoch; the last step of an epoch takes
what is left. How a step is split is of no consequence for its gradient (see loss.py).
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from limaflow.seeds import generator_for
from limaflow.training.conversation import IGNORED, TokenizedExample

if TYPE_CHECKING:
    import torch


def steps_of_epoch(examples: int, batch: int, *, seed: int, epoch: int) -> list[list[int]]:
    """The indices of the examples of each step of `epoch` (counted from 1)."""
    order = list(range(examples))
    generator_for(seed, "training order", epoch).shuffle(order)
    return [order[start : start + batch] for start in range(0, examples, batch)]


def shares(lengths: Sequence[int], world: int, micro_steps: int) -> list[list[list[int]]]:
    """Split a step over `world` ranks with `micro_steps` micro-batches each.

    Args:
        lengths: tokens of each example of the step.

    Returns:
        [rank][micro-step] → positions in the step. Examples of like length lie together, the
        longest first, to spare padding; a micro-batch of a short step may be empty.
    """
    order = sorted(range(len(lengths)), key=lambda position: (-lengths[position], position))
    groups = world * micro_steps
    bounds = [len(order) * group // groups for group in range(groups + 1)]
    parts = [order[low:high] for low, high in pairwise(bounds)]
    return [parts[rank::world] for rank in range(world)]


def collate(
    examples: Sequence[TokenizedExample], pad: int
) -> tuple["torch.Tensor", "torch.Tensor"]:
    """Tokens and labels, [examples, longest], padded on the right; [1, 2] untrained for none.

    Under causal attention what stands to the right has no influence, so that no mask is needed.
    An empty micro-batch still runs: ZeRO-3 gathers its weights on all ranks at once.
    """
    import torch

    longest = max((len(example.tokens) for example in examples), default=2)
    tokens = torch.full((max(len(examples), 1), longest), pad)
    labels = torch.full_like(tokens, IGNORED)
    for row, example in enumerate(examples):
        tokens[row, : len(example.tokens)] = torch.tensor(example.tokens)
        labels[row, : len(example.labels)] = torch.tensor(example.labels)
    return tokens, labels
