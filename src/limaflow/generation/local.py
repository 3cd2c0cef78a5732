"""A causal language model that runs here, decoded in batches whose finished rows leave at once."""

import sys
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from tqdm import tqdm

from limaflow.cuda import computing_device
from limaflow.generation.batch import DecodingBatch, Row
from limaflow.generation.padding import in_words, keeps_padding_out
from limaflow.generation.placement import require_whole, spread, too_large
from limaflow.generation.prompting import NEXT_QUESTION, Format, Prompt, response_text
from limaflow.generation.room import (
    fitting,
    free_memory,
    give_back,
    is_out_of_memory,
    row_bytes,
)
from limaflow.generation.settings import Decoding
from limaflow.seeds import seed_for
from limaflow.training.context_length import context_length
from limaflow.training.packing import Separation
from limaflow.unreachable import no_model

TAIL_TOKENS = 16
"""Tokens decoded to look for the next question; its marker is shorter in any vocabulary."""
JOINING_SHARE = 0.25
"""Share of a batch's places that are free when waiting prompts take them."""


@dataclass(frozen=True, kw_only=True)
class LocalModel:
    """Weights and tokenizer, on one device or spread over GPUs."""

    model: Any
    tokenizer: Any
    context: int
    stops: frozenset[int]
    padding: Separation
    """How far its answer to a prompt is changed by a longer one beside it."""


def load(location: str, revision: str | None, precision: str, *, gpus: int = 1) -> LocalModel:
    """A model from a folder or the hub, on the GPU or so many of them if there are any.

    Raises:
        InputError: there is no causal language model at `location`, no GPU where one is meant, or
            none that it fits on.
    """
    import transformers

    device = computing_device()

    silent: Any = transformers.utils.logging.disable_progress_bar
    silent()
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    several = device == "cuda" and gpus > 1
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(location, revision=revision)
        model: Any = transformers.AutoModelForCausalLM.from_pretrained(
            location, revision=revision, dtype=dtype, **(spread(gpus) if several else {})
        )
        model.eval()
        if not several:
            model.to(device)
    except (OSError, ValueError) as error:
        raise no_model(location, error) from None
    except torch.OutOfMemoryError:
        raise too_large(gpus) from None
    if several:
        require_whole(model, gpus)
    ends = model.generation_config.eos_token_id
    stops = {*(ends if isinstance(ends, list) else [ends]), tokenizer.eos_token_id}
    return LocalModel(
        model=model,
        tokenizer=tokenizer,
        context=context_length(model.config),
        stops=frozenset(stop for stop in stops if stop is not None),
        padding=keeps_padding_out(model),
    )


@torch.inference_mode()
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

    No more than `batch` are under way at once, nor more than GPUs have room for; what waits takes
    the places of those that are finished. Where a GPU runs out of memory half as many go on, and
    those that were under way begin anew with the same noise. In fp32 on a CPU a row depends on
    model, prompt, sample number and seed only.

    Raises:
        InputError: a GPU has no room for a single row.
    """
    done: set[tuple[str, int]] = set()
    batch = _fitting(local, wanted, decoding, _paddable(local, batch))
    while True:
        left = [pair for pair in wanted if (pair[0].id, pair[1]) not in done]
        try:
            for row in _decoded(
                local, left, decoding=decoding, style=style, batch=batch, seed=seed
            ):
                done.add((row.prompt.id, row.sample))
                yield row
            return
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
        under_way = min(batch, len(wanted) - len(done))
        if under_way == 1:
            raise too_large(torch.cuda.device_count())
        batch = under_way // 2
        _say(f"out of the GPU's memory: goes on with {batch} responses at once")
        give_back()


def _paddable(local: LocalModel, batch: int) -> int:
    """One row at a time, where rows beside longer ones would be answered otherwise."""
    if batch == 1 or local.padding.holds:
        return batch
    _say(f"1 response at a time: {in_words(local.padding)}")
    return 1


def _fitting(
    local: LocalModel, wanted: Sequence[tuple[Prompt, int]], decoding: Decoding, batch: int
) -> int:
    """How many rows are under way at once; all of `batch` where no GPU bounds them."""
    free = free_memory(local.model)
    if not free or not wanted:
        return batch
    prompt = max(len(prompt.tokens) for prompt, _ in wanted)
    response = min(decoding.max_tokens, local.context - prompt)
    row = row_bytes(
        local.model.config, local.model.dtype.itemsize, prompt=prompt, response=response
    )
    if (fit := fitting(batch, row, free)) < batch:
        _say(
            f"{fit} responses at once, not {batch}: with {prompt + response} tokens each takes "
            f"{row / 2**30:.1f} GiB, and {min(free) / 2**30:.1f} GiB are free on a GPU"
        )
    return fit


def _say(line: str) -> None:
    tqdm.write(line, file=sys.stderr)


def _decoded(
    local: LocalModel,
    wanted: Sequence[tuple[Prompt, int]],
    *,
    decoding: Decoding,
    style: Format,
    batch: int,
    seed: int,
) -> Iterator[Row]:
    # The longest first, so that a batch that does not fit into memory fails at once.
    waiting = deque(sorted(wanted, key=lambda pair: (-len(pair[0].tokens), pair[0].id, pair[1])))
    never = {local.tokenizer.pad_token_id} - local.stops - {None}
    vocabulary = min(len(local.tokenizer), local.model.config.get_text_config().vocab_size)

    def started(count: int) -> DecodingBatch:
        taken = [waiting.popleft() for _ in range(min(count, len(waiting)))]
        rows = [Row(prompt, sample, _noise(seed, prompt.id, sample)) for prompt, sample in taken]
        return DecodingBatch(
            local.model, rows, decoding, vocabulary=vocabulary, never=sorted(never)
        )

    running: DecodingBatch | None = None
    while waiting or running:
        if running is None:
            running = started(batch)
        # Joining moves all that is kept of a row, so it is done for several at once.
        elif (
            waiting
            and running.can_be_joined
            and (free := batch - len(running.rows)) >= batch * JOINING_SHARE
        ):
            running.join(started(free))
        else:
            running.step()
        for row in running.rows:
            _finish(row, local, decoding, style)
        yield from (row for row in running.rows if row.finish_reason)
        running = running.without_finished()


def _noise(seed: int, prompt_id: str, sample: int) -> torch.Generator:
    # On the CPU whatever the model's device, so that it is the same everywhere.
    return torch.Generator().manual_seed(seed_for(seed, "decoding", prompt_id, sample))


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
        # What ends a turn need be no special token, which alone is left out.
        ended = row.tokens[-1] in local.stops
        text = _decoded_behind(row.prompt, row.tokens[: -1 if ended else None], local.tokenizer)
        row.text = response_text(row.prompt, text, style)


def _decoded_behind(prompt: Prompt, tokens: Sequence[int], tokenizer: Any) -> str:
    """The text of what was generated; behind a given beginning with the space that it starts with,
    which some tokenizers leave out at the start of a text."""
    text: str = tokenizer.decode(tokens, skip_special_tokens=True)
    if not prompt.prefill:
        return text
    before = list(prompt.tokens[-TAIL_TOKENS:])
    head, whole = (
        tokenizer.decode(part, skip_special_tokens=True) for part in (before, [*before, *tokens])
    )
    return str(whole[len(head) :]) if whole.startswith(head) else text
