"""Where each token of a response stands in two models that read the same token ids.

Both models read prompt and response at once (teacher forcing), in pieces of so many positions that
logits over the whole vocabulary never take more than `CELLS` numbers a model. Rows of a batch are
padded on the right, so that with causal attention no real token sees padding.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from limaflow.generation.cache import can_join, empty_cache

CELLS = 2**26
"""Logits of one model at once: 256 MiB in fp32."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """A prompt and the response to it, as token ids; neither is empty."""

    prompt: Sequence[int]
    response: Sequence[int]


@dataclass(frozen=True, kw_only=True)
class Scores:
    """One number for each token of a response; logarithms are natural."""

    ranks: list[int]
    """Of the token in the reference, from 1; equally probable tokens share the better rank."""
    own_ranks: list[int]
    """Of the token in the tuned model itself: above 1 where sampling took another one."""
    choice_ranks: list[int]
    """In the reference, of the token that is most probable in the tuned model."""
    log_probabilities: list[float]
    """In the reference."""
    own_log_probabilities: list[float]
    divergences: list[float]
    """KL(tuned ‖ reference) of the next token, in nats."""
    reference_choices: list[int]
    """The token that is most probable in the reference."""


@torch.inference_mode()
def scored(
    tuned: Any, reference: Any, rows: Sequence[Row], *, vocabulary: int, cells: int = CELLS
) -> list[Scores]:
    """The scores of each row's response.

    Args:
        tuned: a causal language model of transformers; `reference` too.
        vocabulary: ids from 0 up to it are tokens; further rows of the head are left out.
        cells: logits of one model at once.
    """
    longest = max(len(row.prompt) + len(row.response) for row in rows)
    tokens = torch.zeros((len(rows), longest), dtype=torch.long, device=tuned.device)
    for place, row in enumerate(rows):
        ids = [*row.prompt, *row.response]
        tokens[place, : len(ids)] = torch.tensor(ids)
    first = min(len(row.prompt) for row in rows) - 1
    readers = [_Reader(model, vocabulary) for model in (tuned, reference)]
    whole = not all(reader.reads_in_pieces for reader in readers)
    step = longest if whole else max(1, cells // (len(rows) * vocabulary))
    if first and not whole:
        for reader in readers:
            reader.skip(tokens[:, :first])
    pieces = []
    for start in range(0 if whole else first, longest - 1, step):
        end = min(start + step, longest - 1)
        own, theirs = (reader.logits(tokens[:, start:end]) for reader in readers)
        pieces.append(_compared(own, theirs.to(own.device), tokens[:, start + 1 : end + 1]))
    offset = 1 if whole else first + 1
    joined = [torch.cat(column, dim=1).cpu() for column in zip(*pieces, strict=True)]
    return [
        Scores(
            **{
                name: column[place, len(row.prompt) - offset :][: len(row.response)].tolist()
                for name, column in zip(NAMES, joined, strict=True)
            },
        )
        for place, row in enumerate(rows)
    ]


NAMES = (
    "ranks",
    "own_ranks",
    "choice_ranks",
    "log_probabilities",
    "own_log_probabilities",
    "divergences",
    "reference_choices",
)


class _Reader:
    """A model that reads pieces of the same rows, one after another."""

    def __init__(self, model: Any, vocabulary: int) -> None:
        self._model, self._vocabulary, self._read = model, vocabulary, 0
        cache = empty_cache(model.config)
        # A window or a state in place of all tokens: not every such model goes on from a piece.
        self.reads_in_pieces = can_join(cache)
        self._cache = cache if self.reads_in_pieces else None

    def skip(self, tokens: torch.Tensor) -> None:
        """Read without asking what comes next."""
        self._forward(tokens, logits_to_keep=1)

    def logits(self, tokens: torch.Tensor) -> torch.Tensor:
        """After each token, [rows, tokens, vocabulary] in fp32."""
        logits: torch.Tensor = self._forward(tokens, logits_to_keep=0)
        return logits[..., : self._vocabulary].float()

    def _forward(self, tokens: torch.Tensor, logits_to_keep: int) -> Any:
        positions = torch.arange(self._read, self._read + tokens.shape[1])[None]
        self._read += tokens.shape[1]
        return self._model(
            tokens.to(self._model.device),
            position_ids=positions.to(self._model.device),
            past_key_values=self._cache,
            use_cache=self._cache is not None,
            logits_to_keep=logits_to_keep,
        ).logits


def _compared(
    own: torch.Tensor, reference: torch.Tensor, targets: torch.Tensor
) -> tuple[torch.Tensor, ...]:
    """As `NAMES`, [rows, tokens] each."""
    targets = targets.to(own.device)[..., None]
    choices = own.argmax(dim=-1, keepdim=True)
    ranks, own_ranks = _rank(reference, targets), _rank(own, targets)
    choice_ranks, reference_choices = _rank(reference, choices), reference.argmax(dim=-1)
    own, reference = own.log_softmax(dim=-1), reference.log_softmax(dim=-1)
    probability = reference.gather(-1, targets).squeeze(-1)
    own_probability = own.gather(-1, targets).squeeze(-1)
    # Rounding may leave a divergence of 0 a little below it.
    divergence = (own.exp() * (own - reference)).sum(dim=-1).clamp(min=0)
    return (
        *(ranks, own_ranks, choice_ranks),
        *(probability, own_probability, divergence, reference_choices),
    )


def _rank(logits: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
    """1 + how many tokens are more probable."""
    return 1 + (logits > logits.gather(-1, tokens)).sum(dim=-1)
