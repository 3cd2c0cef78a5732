"""The paper's decoding, exactly: repetition penalty, temperature, top-p, and a seeded draw.

A token is drawn by the exponential form of the Gumbel-max trick (argmax of p / E with E ~ Exp(1)
is a draw from p; Maddison et al. 2014, "A* sampling"). The noise of one response comes from a
generator of its own, seeded by prompt and sample number, so that a response does not depend on what
else is in its batch.
"""

import torch

from limaflow.generation.settings import Decoding


def next_tokens(
    logits: torch.Tensor, generated: torch.Tensor, noise: torch.Tensor, decoding: Decoding
) -> torch.Tensor:
    """The next token of each row, [rows].

    Args:
        logits: [rows, vocabulary] in fp32.
        generated: [rows, vocabulary], True where the response holds that token already.
        noise: [rows, vocabulary], standard exponential; not read at temperature 0.
    """
    scores = penalized(logits, generated, decoding.repetition_penalty)
    if decoding.temperature == 0:
        return scores.argmax(dim=-1)
    probabilities = (scores / decoding.temperature).softmax(dim=-1)
    drawn = probabilities / noise.clamp(min=torch.finfo(noise.dtype).tiny)
    # The best draw of the nucleus is the first that lies in it, from the best draw of all down.
    # Few are looked at, while finding the nucleus itself would take a sort of the vocabulary.
    while True:
        chosen = drawn.argmax(dim=-1)
        outside = ~in_nucleus(probabilities, chosen, decoding.top_p)
        if not outside.any():
            return chosen
        # What is no more probable than a token outside lies outside too.
        found = probabilities.gather(-1, chosen[:, None])
        drawn[outside[:, None] & (probabilities <= found)] = -1


def penalized(logits: torch.Tensor, generated: torch.Tensor, penalty: float) -> torch.Tensor:
    """Logits with those of `generated` tokens divided by `penalty`, or times it if negative.

    Keskar et al. 2019 (CTRL, section 4.1). Over generated tokens only, as the paper says;
    transformers' own processor also punishes the words of the prompt.
    """
    punished = torch.where(logits > 0, logits / penalty, logits * penalty)
    return torch.where(generated, punished, logits)


def in_nucleus(probabilities: torch.Tensor, tokens: torch.Tensor, top_p: float) -> torch.Tensor:
    """Whether each row's token is of the most probable ones that have a mass of `top_p`, [rows].

    Holtzman et al. 2020: those that are more probable have less than that mass together, or there
    are none. Equally probable tokens are in it together or not at all.
    """
    more = probabilities > probabilities.gather(-1, tokens[:, None])
    before = torch.where(more, probabilities, 0).sum(dim=-1)
    return (before < top_p) | (before == 0)
