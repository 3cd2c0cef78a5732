"""Rows that are decoded together, right-aligned: those that are finished leave, others join."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Self

import torch
from torch.nn.functional import pad

from limaflow.generation.cache import can_join, empty_cache, join
from limaflow.generation.decoding import next_tokens
from limaflow.generation.prompting import Prompt
from limaflow.generation.settings import Decoding


@dataclass
class Row:
    """One response in the making."""

    prompt: Prompt
    sample: int
    noise: torch.Generator
    tokens: list[int] = field(default_factory=list)
    finish_reason: Literal["stop", "length"] | None = None
    text: str = ""


def right_aligned(
    prompts: Sequence[Sequence[int]], device: torch.device
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Prompts of several lengths, the shorter ones padded on the left: [prompts, longest] each.

    Returns:
        Tokens, mask (0 at padding) and positions, which begin at 0 with each prompt.
    """
    longest = max(map(len, prompts))
    tokens = torch.zeros((len(prompts), longest), dtype=torch.long)
    mask = torch.zeros_like(tokens)
    for place, prompt in enumerate(prompts):
        tokens[place, longest - len(prompt) :] = torch.tensor(prompt)
        mask[place, longest - len(prompt) :] = 1
    mask = mask.to(device)
    return tokens.to(device), mask, (mask.cumsum(dim=-1) - 1).clamp(min=0)


class DecodingBatch:
    """The state of `rows`: the last token of each has been drawn and not been read yet.

    Args:
        never: tokens that are never drawn.
    """

    def __init__(
        self,
        model: Any,
        rows: Sequence[Row],
        decoding: Decoding,
        *,
        vocabulary: int,
        never: Sequence[int],
    ) -> None:
        """Read the prompts, the shorter ones padded on the left, and draw the first tokens."""
        self._model, self._decoding, self._never = model, decoding, list(never)
        self.rows = list(rows)
        device = model.device
        tokens, self._mask, self._positions = right_aligned(
            [row.prompt.tokens for row in rows], device
        )
        self._generated = torch.zeros((len(rows), vocabulary), dtype=torch.bool, device=device)
        self._cache = empty_cache(model.config)
        self._draw(tokens)

    @property
    def can_be_joined(self) -> bool:
        return can_join(self._cache)

    def step(self) -> None:
        """Read the last token of each row and draw the next."""
        self._mask = pad(self._mask, (0, 1), value=1)
        self._positions = self._positions[:, -1:] + 1
        self._draw(self._chosen[:, None])

    def _draw(self, tokens: torch.Tensor) -> None:
        vocabulary = self._generated.shape[-1]
        logits = (
            self._model(
                tokens,
                attention_mask=self._mask,
                position_ids=self._positions,
                past_key_values=self._cache,
                use_cache=True,
                logits_to_keep=1,
            )
            .logits[:, -1, :vocabulary]
            .float()
        )
        logits[:, self._never] = -torch.inf
        noise = [row.noise for row in self.rows]
        self._chosen = next_tokens(logits, self._generated, noise, self._decoding)
        self._generated.scatter_(1, self._chosen[:, None], True)
        for row, token in zip(self.rows, self._chosen.tolist(), strict=True):
            row.tokens.append(token)

    def without_finished(self) -> Self | None:
        """Itself, when the rows that have a finish reason have gone; None if none are left."""
        going = [place for place, row in enumerate(self.rows) if row.finish_reason is None]
        if len(going) < len(self.rows):
            kept = torch.tensor(going, dtype=torch.long, device=self._mask.device)
            self.rows = [self.rows[place] for place in going]
            # In every kind of layer: `batch_select_indices` knows keys and values only.
            cache: Any = self._cache
            cache.reorder_cache(kept)
            self._mask, self._positions = self._mask[kept], self._positions[kept]
            self._chosen, self._generated = self._chosen[kept], self._generated[kept]
        return self if self.rows else None

    def join(self, others: "DecodingBatch") -> None:
        """Add the rows of `others`."""
        both = (self, others)
        # Columns in which no row has a token are left behind.
        columns = max(int(each._mask.sum(dim=-1).max()) for each in both)
        join(self._cache, others._cache, columns)
        self._mask = torch.cat([pad(e._mask, (columns - e._mask.shape[-1], 0)) for e in both])
        self._positions = torch.cat([each._positions[:, -1:] for each in both])
        self._chosen = torch.cat([each._chosen for each in both])
        self._generated = torch.cat([each._generated for each in both])
        self.rows += others.rows
