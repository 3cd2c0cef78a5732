"""A causal language model that runs here, decoded in batches whose finished rows leave at once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import torch

from limaflow.config.generation import Decoding
from limaflow.errors import InputError
from limaflow.generation.decoding import next_tokens
from limaflow.generation.prompting import NEXT_QUESTION, Format, Prompt, answer_text
from limaflow.seeds import seed_for

TAIL_TOKENS = 16
"""Tokens decoded to look for the next question; its marker is shorter in any vocabulary."""


@dataclass
class Row:
    """One response in the making."""

    prompt: Prompt
    sample: int
    noise: torch.Generator
    tokens: list[int] = field(default_factory=list)
    finish_reason: Literal["stop", "length"] | None = None
    text: str = ""


@dataclass(frozen=True, kw_only=True)
class LocalModel:
    """Weights and tokenizer on one device."""

    model: Any
    tokenizer: Any
    context: int
    stops: frozenset[int]


def load(location: str, revision: str | None, precision: str) -> LocalModel:
    """A model from a folder or the hub, on the GPU if there is one.

    Raises:
        InputError: there is no causal language model at `location`.
    """
    import transformers

    silent: Any = transformers.utils.logging.disable_progress_bar
    silent()
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(location, revision=revision)
        model: Any = transformers.AutoModelForCausalLM.from_pretrained(
            location, revision=revision, dtype=dtype
        )
    except (OSError, ValueError) as error:
        raise InputError(f"no causal language model at {location}: {error}") from None
    model.to("cuda" if torch.cuda.is_available() else "cpu").eval()
    ends = model.generation_config.eos_token_id
    stops = {*(ends if isinstance(ends, list) else [ends]), tokenizer.eos_token_id}
    return LocalModel(
        model=model,
        tokenizer=tokenizer,
        context=model.config.max_position_embeddings,
        stops=frozenset(stop for stop in stops if stop is not None),
    )


def respond(
    local: LocalModel,
    wanted: Sequence[tuple[Prompt, int]],
    *,
    decoding: Decoding,
    style: Format,
    batch: int,
    seed: int,
) -> Iterator[Row]:
    """Yield a finished row for each wanted (prompt, sample), in the order in which they finish.

    In fp32 a row depends on model, prompt, sample number and seed only. Prompts of like length
    share a batch.
    """
    order = sorted(wanted, key=lambda pair: (len(pair[0].tokens), pair[0].id, pair[1]))
    for start in range(0, len(order), batch):
        rows = [
            Row(prompt, sample, _noise(seed, prompt.id, sample))
            for prompt, sample in order[start : start + batch]
        ]
        yield from _decode(local, rows, decoding, style)


def _noise(seed: int, prompt_id: str, sample: int) -> torch.Generator:
    # On the CPU whatever the model's device, so that it is the same everywhere.
    return torch.Generator().manual_seed(seed_for(seed, "decoding", prompt_id, sample))


@torch.inference_mode()
def _decode(local: LocalModel, rows: list[Row], decoding: Decoding, style: Format) -> Iterator[Row]:
    """Decode `rows` together, the shorter prompts padded on the left."""
    from transformers import DynamicCache

    model, device = local.model, local.model.device
    vocabulary = min(len(local.tokenizer), model.config.vocab_size)
    pad = {local.tokenizer.pad_token_id} - local.stops - {None}
    longest = max(len(row.prompt.tokens) for row in rows)
    tokens = torch.zeros((len(rows), longest), dtype=torch.long)
    mask = torch.zeros_like(tokens)
    for place, row in enumerate(rows):
        tokens[place, longest - len(row.prompt.tokens) :] = torch.tensor(row.prompt.tokens)
        mask[place, longest - len(row.prompt.tokens) :] = 1
    tokens, mask = tokens.to(device), mask.to(device)
    positions = (mask.cumsum(dim=-1) - 1).clamp(min=0)
    generated = torch.zeros((len(rows), vocabulary), dtype=torch.bool, device=device)
    cache = DynamicCache(config=model.config)

    while rows:
        logits = (
            model(
                tokens,
                attention_mask=mask,
                position_ids=positions,
                past_key_values=cache,
                use_cache=True,
                logits_to_keep=1,
            )
            .logits[:, -1, :vocabulary]
            .float()
        )
        logits[:, list(pad)] = -torch.inf
        noise = torch.stack([torch.empty(vocabulary).exponential_(generator=r.noise) for r in rows])
        chosen = next_tokens(logits, generated, noise.to(device), decoding)
        generated[torch.arange(len(rows), device=device), chosen] = True
        for row, token in zip(rows, chosen.tolist(), strict=True):
            row.tokens.append(token)
            _finish(row, local, decoding, style)

        going = [place for place, row in enumerate(rows) if not row.finish_reason]
        yield from (row for row in rows if row.finish_reason)
        if len(going) < len(rows):
            kept = torch.tensor(going, dtype=torch.long, device=device)
            rows = [rows[place] for place in going]
            cache.batch_select_indices(kept)
            mask, positions = mask[kept], positions[kept]
            chosen, generated = chosen[kept], generated[kept]
        tokens = chosen[:, None]
        mask = torch.cat([mask, torch.ones_like(tokens)], dim=-1)
        positions = positions[:, -1:] + 1


def _finish(row: Row, local: LocalModel, decoding: Decoding, style: Format) -> None:
    """Set the row's text and finish reason if its last token ends it."""
    room = min(decoding.max_tokens, local.context - len(row.prompt.tokens))
    if row.tokens[-1] in local.stops or (
        style == "in-context"
        and NEXT_QUESTION.search(local.tokenizer.decode(row.tokens[-TAIL_TOKENS:]))
    ):
        row.finish_reason = "stop"
    elif len(row.tokens) >= room:
        row.finish_reason = "length"
    if row.finish_reason:
        text = local.tokenizer.decode(row.tokens, skip_special_tokens=True)
        row.text = answer_text(text, style)
