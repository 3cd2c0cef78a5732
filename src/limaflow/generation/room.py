"""How many responses GPUs have room for at once: the cache of keys and values decides."""

import gc
from collections.abc import Sequence
from typing import Any

import torch

SHARE = 0.9
"""Of the free memory; the rest is for fragmentation and for buffers while they grow."""
VOCABULARY_BYTES = 40
"""For each token of the vocabulary and response: logits, noise, their sorted copies, indices."""


def cache_bytes(config: Any, element: int) -> int:
    """Bytes of keys and values of one token in all layers; 0 where a configuration names no heads.

    An upper bound: layers that keep a window or a state take less.

    Args:
        config: of transformers.
        element: bytes of a number.
    """
    text = config.get_text_config()
    layers = getattr(text, "num_hidden_layers", 0)
    heads = getattr(text, "num_attention_heads", 0)
    kept = getattr(text, "num_key_value_heads", None) or heads
    if not heads:
        return 0
    size = getattr(text, "head_dim", None) or text.hidden_size // heads
    return int(2 * layers * kept * size * element)


def row_bytes(config: Any, element: int, *, prompt: int, response: int) -> int:
    """Bytes of one response at its full length, and of its share when prompts are read.

    Args:
        prompt: tokens.
        response: tokens.
    """
    text = config.get_text_config()
    hidden = text.hidden_size
    activations = 6 * hidden + 3 * (getattr(text, "intermediate_size", None) or 4 * hidden)
    return int(
        (prompt + response) * cache_bytes(config, element)
        + prompt * activations * element
        + VOCABULARY_BYTES * text.vocab_size
    )


def fitting(wanted: int, row: int, free: Sequence[int]) -> int:
    """How many of the wanted rows fit, at least one.

    Args:
        row: bytes of a row, spread evenly over the cards.
        free: bytes on each of them.
    """
    room = SHARE * len(free) * min(free)
    return max(1, min(wanted, int(room // row)))


def free_memory(model: Any) -> list[int]:
    """Free bytes on each GPU that holds a part of the model; none on a CPU."""
    cards = {parameter.device for parameter in model.parameters()}
    return [torch.cuda.mem_get_info(card)[0] for card in cards if card.type == "cuda"]


def is_out_of_memory(error: BaseException) -> bool:
    """Whether a GPU had no room for what was computed."""
    return any(sign in str(error) for sign in ("out of memory", "CUBLAS_STATUS_ALLOC_FAILED"))


def give_back() -> None:
    """Let the GPU have what is no longer held; not while an error is handled, which holds it."""
    gc.collect()
    torch.cuda.empty_cache()
