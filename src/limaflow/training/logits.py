"""The logits that a loss is taken of, and no others.

Over a vocabulary of 150,000 the logits of all positions are most of a step's memory, and of a
prompt's none is used. The head reads the hidden states that a trained token is predicted from:
transformers' models take a mask of positions (`logits_to_keep`) and return them row after row.
"""

import inspect
from collections.abc import Sequence
from typing import Any

import torch

from limaflow.training.batches import MicroBatch, moved


def logits_of_targets(engine: Any, batch: MicroBatch) -> torch.Tensor:
    """What each trained token of a micro-batch is predicted by, [trained, vocabulary]."""
    chosen = {"logits_to_keep": batch.predicting} if chooses_positions(engine.module) else {}
    # Without a cache and a mask, transformers keeps packed examples apart by their positions.
    logits: torch.Tensor = engine(
        batch.tokens,
        position_ids=batch.positions,
        use_cache=False,
        **chosen,
        **borders(engine.module, batch.lengths, engine.device),
    ).logits
    return logits if chosen else logits[batch.predicting]


def chooses_positions(model: Any) -> bool:
    """Whether the head of `model`, plain or in peft, computes the positions asked for."""
    plain = model.get_base_model() if hasattr(model, "get_base_model") else model
    return "logits_to_keep" in inspect.signature(plain.forward).parameters


def borders(model: Any, lengths: Sequence[int] | None, device: torch.device) -> dict[str, Any]:
    """Where the examples of a row end, for FlashAttention, which else reads it back in each layer.

    Other kernels go by the positions, and models without FlashAttention need not know the names.
    """
    if lengths is None or not model.config._attn_implementation.startswith("flash"):
        return {}
    ends = moved(torch.tensor([0, *lengths]).cumsum(0).to(torch.int32), device)
    longest = max(lengths)
    return {
        **{"cu_seq_lens_q": ends, "cu_seq_lens_k": ends},
        **{"max_length_q": longest, "max_length_k": longest},
    }
