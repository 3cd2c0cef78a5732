"""The gradient of one optimizer step, the same for any number of ranks and micro-batches."""

from collections.abc import Sequence
from typing import Any, Literal

import torch

from limaflow.seeds import seed_for
from limaflow.training.batches import collate, shares
from limaflow.training.conversation import TokenizedExample
from limaflow.training.loss import row_weights, weighted_loss
from limaflow.training.processes import rank, world


def accumulate(
    engine: Any,
    examples: Sequence[TokenizedExample],
    *,
    loss_mean: Literal["token", "example"],
    pad: int,
    seed: int,
    step: int,
) -> tuple[float, int]:
    """Run this rank's share of a step up to, and without, the update.

    Args:
        examples: those of the whole step, the same on all ranks.
        seed: of dropout, which is drawn anew for each (step, micro-batch, rank), so that a resumed
            run draws as an uninterrupted one.

    Returns:
        This rank's part of the step's loss (the parts add up), and the positions it computed.
    """
    micro_steps = engine.gradient_accumulation_steps()
    weights = row_weights([example.trained for example in examples], loss_mean)
    lengths = [len(example.tokens) for example in examples]
    loss, computed = 0.0, 0
    for micro, positions in enumerate(shares(lengths, world(), micro_steps)[rank()]):
        torch.manual_seed(seed_for(seed, "dropout", step, micro, rank()))
        tokens, labels = collate([examples[p] for p in positions], pad)
        row_weight = torch.tensor([weights[p] for p in positions] or [0.0])
        logits = engine(tokens.to(engine.device), use_cache=False).logits
        part = weighted_loss(logits, labels.to(engine.device), row_weight.to(engine.device))
        # DeepSpeed divides by the ranks and the micro-batches; the weights have done so already.
        engine.backward(part * world() * micro_steps)
        loss, computed = loss + part.item(), computed + tokens.numel()
        if micro + 1 < micro_steps:
            engine.step()
    return loss, computed
