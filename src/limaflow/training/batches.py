"""Which examples an optimizer step sees, and how they are shared over processes and micro-batches.

A step is `batch_examples` examples of one seeded order an epoch; the last step of an epoch takes
what is left. How a step is split is of no consequence for its gradient (see loss.py).
"""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, replace
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


def packed_shares(
    lengths: Sequence[int], world: int, capacity: int, micro_steps: int = 1
) -> list[list[list[int]]]:
    """Split a step over `world` ranks into micro-batches of at most `capacity` tokens.

    Returns:
        [rank][micro-step] → positions in the step, in as few micro-steps as they fit into and at
        least `micro_steps`, loaded as equally as the longest-first rule does it (Graham 1969). An
        example longer than `capacity` fills a micro-batch of its own.
    """
    order = sorted(range(len(lengths)), key=lambda position: (-lengths[position], position))
    while True:
        bins: list[list[int]] = [[] for _ in range(world * micro_steps)]
        # A heap of (tokens, micro-batch): the emptiest takes the next.
        loads = [(0, number) for number in range(len(bins))]
        for position in order:
            tokens, number = loads[0]
            if tokens and tokens + lengths[position] > capacity:
                break
            bins[number].append(position)
            heapq.heapreplace(loads, (tokens + lengths[position], number))
        else:
            return [bins[rank::world] for rank in range(world)]
        micro_steps += 1


@dataclass(frozen=True)
class MicroBatch:
    """Examples as tensors."""

    tokens: "torch.Tensor"
    """[rows, tokens]."""
    predicting: "torch.Tensor"
    """[rows, tokens], True where the next token is trained."""
    targets: "torch.Tensor"
    """[trained], those next tokens, row after row."""
    weights: "torch.Tensor"
    """[trained], what each of them weighs in the loss of its step."""
    positions: "torch.Tensor | None" = None
    """[1, tokens], places of the tokens in their examples, where a row holds several; they begin
    again at each border, by which attention knows the examples apart."""
    lengths: tuple[int, ...] | None = None
    """Of the examples of a single row."""

    def to(self, device: "torch.device") -> "MicroBatch":
        """The same on `device`; the mask stays, so that looking places up waits for no GPU."""
        return replace(
            self,
            tokens=moved(self.tokens, device),
            targets=moved(self.targets, device),
            weights=moved(self.weights, device),
            positions=None if self.positions is None else moved(self.positions, device),
        )


def moved(tensor: "torch.Tensor", device: "torch.device") -> "torch.Tensor":
    """A copy on `device` that the host does not wait for."""
    return tensor.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else tensor


def padded(examples: Sequence[TokenizedExample], weights: Sequence[float], pad: int) -> MicroBatch:
    """One example a row, padded on the right; a row of two untrained tokens for none.

    Under causal attention what stands to the right has no influence, so that no mask is needed.
    An empty micro-batch still runs: ZeRO-3 gathers its weights on all ranks at once.
    """
    import torch

    longest = max((len(example.tokens) for example in examples), default=2)
    tokens = torch.full((max(len(examples), 1), longest), pad)
    labels = torch.full_like(tokens, IGNORED)
    weight = torch.zeros(tokens.shape)
    for row, example in enumerate(examples):
        tokens[row, : len(example.tokens)] = torch.tensor(example.tokens)
        labels[row, : len(example.labels)] = torch.tensor(example.labels)
        weight[row] = weights[row]
    alone = (longest,) if len(tokens) == 1 else None
    return replace(_micro_batch(tokens, labels, weight), lengths=alone)


def packed(examples: Sequence[TokenizedExample], weights: Sequence[float], pad: int) -> MicroBatch:
    """All examples in one row without padding; two untrained tokens for none.

    An example's first label is always untrained, so that no example is predicted from another.
    """
    import torch

    if not examples:
        return padded(examples, weights, pad)
    lengths = [len(example.tokens) for example in examples]
    return replace(
        _micro_batch(
            torch.tensor([[token for e in examples for token in e.tokens]]),
            torch.tensor([[label for e in examples for label in e.labels]]),
            torch.tensor(weights).repeat_interleave(torch.tensor(lengths))[None],
        ),
        positions=torch.cat([torch.arange(length) for length in lengths])[None],
        lengths=tuple(lengths),
    )


def _micro_batch(
    tokens: "torch.Tensor", labels: "torch.Tensor", weights: "torch.Tensor"
) -> MicroBatch:
    """Labels and weights, [rows, tokens] each, of trained tokens alone."""
    import torch

    trained = labels[:, 1:] != IGNORED
    # The last token of a row predicts none.
    predicting = torch.nn.functional.pad(trained, (0, 1))
    return MicroBatch(tokens, predicting, labels[:, 1:][trained], weights[:, 1:][trained])
