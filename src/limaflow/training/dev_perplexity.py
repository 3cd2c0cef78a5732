"""Perplexity on the dev set's reference responses, which the paper follows over epochs (Fig. 9)."""

from collections.abc import Sequence
from typing import Any

import torch
import torch.distributed as dist

from limaflow.training.batches import padded
from limaflow.training.conversation import TokenizedExample
from limaflow.training.logits import logits_of_targets
from limaflow.training.loss import weighted_loss
from limaflow.training.processes import rank, world


@torch.no_grad()
def perplexity(
    engine: Any, examples: Sequence[TokenizedExample], *, micro_batch: int, pad: int
) -> float | None:
    """exp of the mean negative log-likelihood of a response token; None without examples.

    Every rank takes its share, in equally many micro-batches, and all get the same number.
    """
    if not examples:
        return None
    engine.eval()
    order = sorted(examples, key=lambda e: (-len(e.tokens), e.id))
    batches = [order[start : start + micro_batch] for start in range(0, len(order), micro_batch)]
    batches += [[]] * (-len(batches) % world())
    total = torch.zeros(2, dtype=torch.float64)
    for batch in batches[rank() :: world()]:
        rows = padded(batch, [1.0] * len(batch), pad).to(engine.device)
        loss = weighted_loss(logits_of_targets(engine, rows), rows.targets, rows.weights)
        total[0] += loss.double().cpu()
        total[1] += sum(example.trained for example in batch)
    dist.all_reduce(total)
    engine.train()
    return float(torch.exp(total[0] / total[1]))
