"""The gradient of one optimizer step, the same for any number of ranks and micro-batches."""

from collections.abc import Sequence
from typing import Any, Literal

import torch

from limaflow.seeds import seed_for
from limaflow.training.batches import packed, packed_shares, padded, shares
from limaflow.training.conversation import TokenizedExample
from limaflow.training.logits import logits_of_targets
from limaflow.training.loss import row_weights, weighted_loss
from limaflow.training.processes import rank, world


def accumulate(
    engine: Any,
    examples: Sequence[TokenizedExample],
    *,
    loss_mean: Literal["token", "example"],
    pad: int,
    capacity: int | None,
    seed: int,
    step: int,
) -> tuple[float, int]:
    """Run this rank's share of a step up to, and without, the update.

    Args:
        examples: those of the whole step, the same on all ranks.
        capacity: pack examples into micro-batches of at most so many tokens; None pads them.
        seed: of dropout, which is drawn anew for each (step, micro-batch, rank), so that a resumed
            run draws as an uninterrupted one.

    Returns:
        This rank's part of the step's loss (the parts add up), and the positions it computed.
    """
    micro_steps = engine.gradient_accumulation_steps()
    weights = row_weights([example.trained for example in examples], loss_mean)
    lengths = [len(example.tokens) for example in examples]
    if capacity is None:
        split, form = shares(lengths, world(), micro_steps), padded
    else:
        split, form = packed_shares(lengths, world(), capacity, micro_steps), packed
    loss, computed = torch.zeros((), dtype=torch.float64, device=engine.device), 0
    for micro, positions in enumerate(split[rank()]):
        torch.manual_seed(seed_for(seed, "dropout", step, micro, rank()))
        batch = form([examples[p] for p in positions], [weights[p] for p in positions], pad)
        batch = batch.to(engine.device)
        # The logits have no name, which would hold them through the backward pass.
        part = weighted_loss(logits_of_targets(engine, batch), batch.targets, batch.weights)
        # DeepSpeed divides by the ranks and the micro-batches; the weights have done so already.
        engine.backward(part * world() * micro_steps)
        # Read once a step: a GPU would be waited for.
        loss += part.detach()
        computed += batch.tokens.numel()
        if micro + 1 < micro_steps:
            engine.step()
    return loss.item(), computed
