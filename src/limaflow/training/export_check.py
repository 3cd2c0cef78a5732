"""Whether an export is the model that was trained: logits are compared before it counts."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from limaflow.errors import InputError

BOUNDS = {torch.float32: 1e-3, torch.bfloat16: 5e-2}
"""How far the logits may differ, as root mean square in standard deviations of the logits.

The exported model runs on the CPU, the trained one where it was trained, and bf16 has 8 bits."""
CHECKED_TOKENS = 128
"""Of each example, from its start."""


@torch.no_grad()
def trained_logits(engine: Any, rows: Sequence[Sequence[int]]) -> list[torch.Tensor]:
    """Of each row of tokens, [tokens, vocabulary] on the CPU; on all ranks together."""
    engine.eval()
    logits = [
        engine(torch.tensor([row], device=engine.device), use_cache=False).logits[0].float().cpu()
        for row in rows
    ]
    engine.train()
    return logits


@torch.no_grad()
def require_same_logits(
    folder: Path, rows: Sequence[Sequence[int]], trained: Sequence[torch.Tensor], dtype: torch.dtype
) -> None:
    """Open the model in `folder` as anyone would and compare it with the trained one.

    Args:
        trained: the logits of `rows` by the model that was trained.
        dtype: in which it was trained.

    Raises:
        InputError: it cannot be opened, or its logits differ by more than rounding.
    """
    from transformers import AutoModelForCausalLM

    read: Any = AutoModelForCausalLM.from_pretrained
    try:
        model = read(folder, dtype=dtype).eval()
        exported = [model(torch.tensor([row]), use_cache=False).logits[0].float() for row in rows]
    # A model that was written wrongly fails in many ways.
    except Exception as error:
        raise _differs(f"cannot be opened: {error}") from None
    for one, other in zip(exported, trained, strict=True):
        difference = float((one - other).square().mean().sqrt() / other.std())
        # Written so that nan fails too.
        if not difference <= BOUNDS[dtype]:
            raise _differs(
                f"is not the trained one: its logits differ by {difference:.2g} of their spread, "
                f"and rounding may change {BOUNDS[dtype]:.2g}"
            )


def _differs(how: str) -> InputError:
    return InputError(
        f"the exported model {how}",
        fix="this is a fault of limaflow with this architecture: the checkpoint stays; please "
        "report it with the model's config.json",
    )
