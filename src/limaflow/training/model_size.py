"""What a model takes of a GPU's memory to be run, from its name or folder: no weights are read.

Rough enough to be had when Snakemake starts, without PyTorch and without a network; `limaflow train
plan` counts exactly.
"""

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from limaflow.errors import InputError
from limaflow.jsonl import read_json

KNOWN = Path(__file__).with_name("architectures.yaml")
USABLE = 0.92
"""Of a card's memory; the rest is CUDA's and fragmentation."""
MOST_CARDS = 8
"""Of one node."""
FEWEST_AT_ONCE = 8
"""Responses whose cache should have room; a larger batch is cut to what fits."""


@dataclass(frozen=True, kw_only=True)
class RunSize:
    """Bytes of a model that answers."""

    weights: float
    cache_per_token: float
    """Keys and values of a token in all layers."""
    context: int

    def times(self, models: int) -> "RunSize":
        """So many models of this size at once, each with its own cache."""
        return replace(
            self,
            weights=models * self.weights,
            cache_per_token=models * self.cache_per_token,
        )

    def cards(self, card_bytes: float, response_tokens: int) -> int:
        """The fewest cards, a power of two (tensor parallelism divides heads), for weights and the
        cache of a few responses; all of a node's where even those are too few."""
        row = min(response_tokens, self.context) * self.cache_per_token
        needed = self.weights + FEWEST_AT_ONCE * row
        cards = 1
        while cards < MOST_CARDS and cards * USABLE * card_bytes < needed:
            cards *= 2
        return cards


@cache
def known() -> dict[str, dict[str, Any]]:
    """Hub name → config.json of our recipes' models, so that a login node needs no network."""
    found: dict[str, dict[str, Any]] = yaml.safe_load(KNOWN.read_text(encoding="utf-8"))
    return found


def run_size(name: str, element: int) -> RunSize | None:
    """The size of a model by its hub name or folder; None where nothing is known of it here.

    Args:
        element: bytes of a number.
    """
    config = _config(name)
    return None if config is None else size_of(config, element)


def size_of(config: dict[str, Any], element: int) -> RunSize | None:
    """The size of what a config.json describes, as a Llama's; None if numbers are missing."""
    text = {**config, **config.get("text_config", {})}
    try:
        hidden, layers, vocabulary = (
            int(text[key]) for key in ("hidden_size", "num_hidden_layers", "vocab_size")
        )
        heads = int(text["num_attention_heads"])
    except (KeyError, TypeError, ValueError):
        return None
    head = text.get("head_dim") or hidden // heads
    kept = (text.get("num_key_value_heads") or heads) * head
    experts = text.get("num_local_experts") or text.get("num_experts") or 1
    inner = text.get("intermediate_size") or 4 * hidden
    if experts > 1:
        inner = experts * (text.get("moe_intermediate_size") or inner)
    layer = 2 * hidden * heads * head + 2 * hidden * kept + 3 * hidden * inner
    ends = 1 if text.get("tie_word_embeddings") else 2
    return RunSize(
        weights=element * (layers * layer + ends * vocabulary * hidden),
        cache_per_token=2 * element * layers * kept,
        context=text.get("max_position_embeddings") or 2**62,
    )


def _config(name: str) -> dict[str, Any] | None:
    if name in known():
        return known()[name]
    folder = Path(name)
    if not folder.is_dir():
        # Heavy, so only for a name that is not among ours.
        from huggingface_hub import try_to_load_from_cache
        from huggingface_hub.errors import HFValidationError

        try:
            cached = try_to_load_from_cache(name, "config.json")
        except HFValidationError:
            return None
        if not isinstance(cached, str):
            return None
        folder = Path(cached).parent
    try:
        return read_json(folder / "config.json", dict[str, Any])
    except (InputError, OSError):
        return None
