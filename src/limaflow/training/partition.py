"""Weights that ZeRO-3 divides over the ranks: made so while they are read, and seen whole."""

import contextlib
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch


@contextlib.contextmanager
def divided_while_loading(settings: dict[str, Any]) -> Iterator[None]:
    """Let `from_pretrained` divide each weight as it is made, where `settings` say ZeRO-3.

    Rank 0 reads the values and hands them out; no rank ever holds the whole model.
    """
    from transformers.integrations.deepspeed import HfDeepSpeedConfig

    known: Any = HfDeepSpeedConfig
    # transformers finds it through a weak reference, for as long as it lives.
    held = known(settings)
    yield
    del held


@contextlib.contextmanager
def whole(parameters: Iterable["torch.Tensor"], *, modified: bool = False) -> Iterator[None]:
    """The full values of `parameters`, on all ranks together; no-op for undivided ones.

    Args:
        modified: keep what rank 0 changes, on all ranks.
    """
    divided = [parameter for parameter in parameters if hasattr(parameter, "ds_id")]
    if not divided:
        yield
        return
    import deepspeed

    with deepspeed.zero.GatheredParameters(divided, modifier_rank=0 if modified else None):
        yield
