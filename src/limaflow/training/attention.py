"""Which attention kernel trains: examples packed into one row must stay apart in it."""

import torch

from limaflow.training.hardware import CAPABILITIES
from limaflow.training.settings import Attention, Launch, Preference, Training


def attention_of(settings: Training | Preference, launch: Launch) -> Attention:
    """The name under which transformers knows the kernel.

    FlashAttention computes each packed example alone, by the lengths that it takes from the
    positions; `sdpa` computes the whole row under a mask with a block for each example.
    """
    return launch.attention if launch.attention != "auto" else _best(settings)[0]


def fallback(settings: Training, launch: Launch) -> list[str]:
    """A line that names the kernel and the reason where a GPU trains without FlashAttention.

    Only where `launch.attention` is auto: whoever names a kernel knows which one it is.
    """
    kernel, reason = _best(settings)
    return [f"attention: {kernel}, since {reason}"] if launch.attention == "auto" and reason else []


def _best(settings: Training | Preference) -> tuple[Attention, str]:
    """The kernel that `auto` takes here, and on a GPU why it is not a faster one."""
    from transformers.utils.import_utils import (
        is_flash_attn_2_available,
        is_flash_attn_3_available,
    )

    # Which GPU is here matters to it.
    if not torch.cuda.is_available():
        return "sdpa", ""
    if settings.precision != "bf16":
        return "sdpa", f"FlashAttention wants 16 bits; precision is {settings.precision}"
    capability = torch.cuda.get_device_capability()[0]
    if capability in CAPABILITIES["flash_attention_3"] and is_flash_attn_3_available():
        return "flash_attention_3", ""
    if capability not in CAPABILITIES["flash_attention_2"]:
        return "sdpa", f"this GPU's compute capability is {capability}, too low for FlashAttention"
    if not is_flash_attn_2_available():
        return "sdpa", "flash-attn is not installed"
    return "flash_attention_2", ""
