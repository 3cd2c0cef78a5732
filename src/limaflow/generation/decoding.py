"""The paper's decoding, exactly: repetition penalty, temperature, top-p, and a seeded draw.

A token is drawn by the exponential form of the Gumbel-max trick (argmax of p / E with E ~ Exp(1)
is a draw from p; Maddison et al. 2014, "A* sampling"). The noise of one response comes from a
generator of its own, seeded by prompt and sample number, so that a response does not depend on what
else is in its batch.
"""

import torch

from limaflow.config.generation import Decoding


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
    probabilities = nucleus((scores / decoding.temperature).softmax(dim=-1), decoding.top_p)
    # A noise of exactly 0 would make 0 / 0 of a token that is out of the nucleus.
    return (probabilities / noise.clamp(min=torch.finfo(noise.dtype).tiny)).argmax(dim=-1)


def penalized(logits: torch.Tensor, generated: torch.Tensor, penalty: float) -> torch.Tensor:
    """Logits with those of `generated` tokens divided by `penalty`, or times it if negative.

    Keskar et al. 2019 (CTRL, section 4.1). Over generated tokens only, as the paper says;
    transformers' own processor also punishes the words of the prompt.
    """
    punished = torch.where(logits > 0, logits / penalty, logits * penalty)
    return torch.where(generated, punished, logits)


def nucleus(probabilities: torch.Tensor, top_p: float) -> torch.Tensor:
    """The smallest set of most probable tokens with a mass of at least `top_p`; the rest is 0.

    Holtzman et al. 2020. The most probable token always stays. Not normalised: an argmax follows.
    """
    ordered, order = probabilities.sort(dim=-1, descending=True, stable=True)
    before = ordered.cumsum(dim=-1) - ordered
    kept = before < top_p
    kept[:, 0] = True
    return torch.zeros_like(probabilities).scatter(-1, order, ordered * kept)
