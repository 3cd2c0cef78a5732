"""Where a model's layers lie: on one device, or in turn on several GPUs; never partly elsewhere."""

from typing import Any

import torch

from limaflow.errors import InputError

BESIDE_GPUS = {"cpu", "disk", "meta"}


def spread(gpus: int) -> dict[str, Any]:
    """Arguments of `from_pretrained` that divide a model's layers evenly over so many cards.

    Each card then has about the same room for its part of the cache.
    """
    # Without a place on the CPU what does not fit is left on the disk, unread.
    free = {card: torch.cuda.mem_get_info(card)[0] for card in range(gpus)}
    return {"device_map": "balanced", "max_memory": {**free, "cpu": 0}}


def require_whole(model: Any, gpus: int) -> None:
    """Make sure that every layer of a model that was spread lies on a card.

    Raises:
        InputError: it is larger than the cards.
    """
    if BESIDE_GPUS & {str(place) for place in getattr(model, "hf_device_map", {}).values()}:
        raise too_large(gpus)


def too_large(gpus: int) -> InputError:
    """The error where the cards have no room for the weights, or for a single response."""
    return InputError(
        f"the model does not fit on {gpus} GPU(s)",
        fix="raise generation.gpus; `limaflow train plan` says how many it takes",
    )
