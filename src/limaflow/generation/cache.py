"""Keys and values of the rows that are decoded together: rows leave, and others join."""

from typing import Any

import torch
from torch.nn.functional import pad
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer

ROOM = 64
"""Tokens for which a buffer has room beyond those that it holds."""


class BufferedLayer(DynamicLayer):  # type: ignore[no-untyped-call]
    """Keys and values at the front of buffers, which are not copied for every token."""

    keys: Any
    values: Any
    _buffers: Any = ()
    _held: Any = None

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *_: Any, **__: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """All keys and values, [rows, heads, tokens, size], with the new ones at the end."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
            self.keys, self.values = key_states[:, :, :0], value_states[:, :, :0]
        start = self.get_seq_length()
        end = start + key_states.shape[-2]
        # Where rows have left or joined, other tensors stand here.
        if self.keys is not self._held or end > self._buffers[0].shape[-2]:
            room = (0, 0, 0, end - start + ROOM)
            self._buffers = (pad(self.keys, room), pad(self.values, room))
        keys, values = self._buffers
        keys[:, :, start:end] = key_states
        values[:, :, start:end] = value_states
        self.keys = self._held = keys[:, :, :end]
        self.values = values[:, :, :end]
        return self.keys, self.values


def empty_cache(config: Any) -> DynamicCache:
    """A cache for a model of this configuration."""
    cache = DynamicCache(config=config)
    buffered: Any = BufferedLayer
    cache.layers = [buffered() if type(layer) is DynamicLayer else layer for layer in cache.layers]
    return cache


def can_join(cache: DynamicCache) -> bool:
    """Whether rows can join: not where a layer keeps a window or a state in place of all tokens."""
    return all(type(layer) is BufferedLayer for layer in cache.layers)


def join(cache: DynamicCache, others: DynamicCache, columns: int) -> None:
    """Add the rows of `others`; each row keeps its last `columns` tokens, padded on the left."""
    layers: Any = zip(cache.layers, others.layers, strict=True)
    for layer, other in layers:
        layer.keys = _together(layer.keys, other.keys, columns)
        layer.values = _together(layer.values, other.values, columns)


def _together(first: torch.Tensor, second: torch.Tensor, columns: int) -> torch.Tensor:
    # A negative pad cuts.
    return torch.cat([pad(part, (0, 0, columns - part.shape[-2], 0)) for part in (first, second)])
