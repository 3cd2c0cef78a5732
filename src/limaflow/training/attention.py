"""Which attention kernel trains: examples packed into one row must stay apart in it."""

import torch

from limaflow.training.settings import Attention, Launch, Preference, Training

HOPPER = 9
"""CUDA's major capability from which FlashAttention 3 runs."""


def attention_of(settings: Training | Preference, launch: Launch) -> Attention:
    """The name under which transformers knows the kernel.

    FlashAttention computes each packed example alone, by the lengths that it takes from the
    positions; `sdpa` computes the whole row under a mask with a block for each example.
    """
    from transformers.utils.import_utils import (
        is_flash_attn_2_available,
        is_flash_attn_3_available,
    )

    if launch.attention != "auto":
        return launch.attention
    # It knows 16 bits only; and which GPU is here matters to it.
    if settings.precision != "bf16" or not torch.cuda.is_available():
        return "sdpa"
    if is_flash_attn_3_available() and torch.cuda.get_device_capability()[0] >= HOPPER:
        return "flash_attention_3"
    return "flash_attention_2" if is_flash_attn_2_available() else "sdpa"
