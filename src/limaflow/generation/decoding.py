"""The paper's decoding, exactly: repetition penalty, temperature, top-p, and a seeded draw.

A token is drawn by inverting the distribution function with one uniform number, and drawn anew from
the more probable ones where it lies outside the nucleus. So a token costs no more noise than it
takes draws, one in most cases, whatever the vocabulary. The numbers of one response come from a
generator of its own, seeded by prompt and sample number, so that a response does not depend on what
else is in its batch.
"""

from collections.abc import Sequence

import torch

from limaflow.generation.settings import Decoding


def next_tokens(
    logits: torch.Tensor,
    generated: torch.Tensor,
    noise: Sequence[torch.Generator],
    decoding: Decoding,
) -> torch.Tensor:
    """The next token of each row, [rows].

    Args:
        logits: [rows, vocabulary] in fp32.
        generated: [rows, vocabulary], True where the response holds that token already.
        noise: a generator on the CPU for each row; not used at temperature 0.
    """
    scores = penalized(logits, generated, decoding.repetition_penalty)
    if decoding.temperature == 0:
        return scores.argmax(dim=-1)
    probabilities = (scores / decoding.temperature).softmax(dim=-1)
    chosen = drawn(probabilities, noise)
    # A draw outside the nucleus is rare, while finding the nucleus would take a sort.
    left = torch.arange(len(chosen), device=chosen.device)
    while True:
        found = probabilities[left]
        limit = found.gather(-1, chosen[left][:, None])
        outside = ~in_nucleus(found, chosen[left], decoding.top_p) | (limit[:, 0] == 0)
        if not outside.any():
            return chosen
        # What is no more probable than a token outside lies outside too. Draws from any set that
        # holds the nucleus, until one lies in it, are draws from the nucleus.
        left, found, limit = left[outside], found[outside], limit[outside]
        probabilities[left] = found.masked_fill(found <= limit, 0)
        chosen[left] = drawn(probabilities[left], [noise[row] for row in left.tolist()])


def drawn(weights: torch.Tensor, noise: Sequence[torch.Generator]) -> torch.Tensor:
    """A token of each row, as often as its share of the row's weights but for 2^-24, [rows].

    Where rounding ends the sums short of the drawn number, the last token, whatever its weight.
    """
    upto = weights.cumsum(dim=-1)
    uniform = torch.stack([torch.rand(1, generator=generator) for generator in noise])
    # The first token whose sum exceeds it, which has a weight.
    point = uniform.to(upto.device) * upto[:, -1:]
    return torch.searchsorted(upto, point, right=True).squeeze(-1).clamp(max=upto.shape[-1] - 1)


def penalized(logits: torch.Tensor, generated: torch.Tensor, penalty: float) -> torch.Tensor:
    """Logits with those of `generated` tokens divided by `penalty`, or times it if negative.

    Keskar et al. 2019 (CTRL, section 4.1). Over generated tokens only, as the paper says;
    transformers' own processor also punishes the words of the prompt.
    """
    # They are few, and a pass over the vocabulary is dear.
    places = generated.nonzero(as_tuple=True)
    seen = logits[places]
    return logits.index_put(places, torch.where(seen > 0, seen / penalty, seen * penalty))


def in_nucleus(probabilities: torch.Tensor, tokens: torch.Tensor, top_p: float) -> torch.Tensor:
    """Whether each row's token is of the most probable ones that have a mass of `top_p`, [rows].

    Holtzman et al. 2020: those that are more probable have less than that mass together, or there
    are none. Equally probable tokens are in it together or not at all.
    """
    more = probabilities > probabilities.gather(-1, tokens[:, None])
    before = torch.where(more, probabilities, 0).sum(dim=-1)
    return (before < top_p) | (before == 0)
