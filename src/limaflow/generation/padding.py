"""Whether a model answers the same beside a longer prompt, behind padding.

Attention leaves padding out by its mask. State spaces and recurrences have read it, unless their
code knows better (RecurrentGemma's does not, in transformers 5.23). So the model is asked, whatever
its architecture, and one that does not keep padding out answers one prompt at a time.
"""

from collections.abc import Sequence
from typing import Any

import torch

from limaflow.generation.batch import right_aligned
from limaflow.generation.cache import empty_cache
from limaflow.training.export_check import BOUNDS
from limaflow.training.packing import NOISE_FACTOR, Separation, difference

PROBE_TOKENS = 24
"""Of the shorter prompt; the longer one has half as many more."""
PROBES = 3
"""Padding that is read shows in each; an expert that rounding exchanges, in bf16, in some."""


@torch.inference_mode()
def keeps_padding_out(model: Any) -> Separation:
    """Compare a prompt alone with the same one padded beside a longer one, and one token further.

    The noise of rounding is measured beside another prompt of equal length, without padding.
    """
    found: list[Separation] = []
    for seed in range(PROBES):
        found.append(_probe(model, seed))
        if found[-1].holds:
            break
    return min(found, key=lambda probe: probe.difference / probe.bound)


def in_words(padding: Separation) -> str:
    """How far an answer changes beside a longer prompt, for people."""
    return (
        "beside a longer prompt this model's logits differ by "
        f"{padding.difference:.1g} of their spread (rounding: {padding.bound:.1g})"
    )


def _probe(model: Any, seed: int) -> Separation:
    vocabulary = model.config.get_text_config().vocab_size
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.randint(vocabulary, (3 * PROBE_TOKENS,), generator=generator).tolist()
    short, equal = drawn[:PROBE_TOKENS], drawn[PROBE_TOKENS : 2 * PROBE_TOKENS]
    longer = drawn[PROBE_TOKENS : 5 * PROBE_TOKENS // 2]
    alone = _logits(model, [short])
    noise = difference(_logits(model, [short, equal]), alone)
    beside = difference(_logits(model, [short, longer]), alone)
    return Separation(difference=beside, bound=max(BOUNDS[model.dtype], NOISE_FACTOR * noise))


def _logits(model: Any, prompts: Sequence[Sequence[int]]) -> torch.Tensor:
    """Of the first prompt's last token and of one more after it, [2, vocabulary] in fp32."""
    tokens, mask, positions = right_aligned(prompts, model.device)
    cache = empty_cache(model.config)
    found = []
    for _ in range(2):
        read = model(
            tokens,
            attention_mask=mask,
            position_ids=positions,
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
        )
        found.append(read.logits[0, -1].float())
        mask = torch.nn.functional.pad(mask, (0, 1), value=1)
        positions, tokens = positions[:, -1:] + 1, tokens[:, -1:]
    return torch.stack(found)
