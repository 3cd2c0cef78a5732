"""Bytes of the activations of a Llama-like decoder, term by term.

Counted in the way of Korthikanti et al. 2022 (arXiv 2205.05198, section 4.1), for what autograd
really keeps of transformers' Llama with scaled-dot-product attention. Sizes in elements: hidden h,
queries q, keys k, intermediate f, vocabulary v; b bytes an element (2 in bf16, 4 in fp32).
"""

from dataclasses import dataclass

from limaflow.tools.planning.architecture import Architecture
from limaflow.training.settings import Launch, Training


@dataclass(frozen=True, kw_only=True)
class MicroBatch:
    """The largest micro-batch of a run."""

    tokens: int
    """Positions computed, padding included."""
    trained: int
    """Tokens that the loss is taken on."""
    per_step: int
    """Micro-batches of one process in an optimizer step."""


def bytes_of(settings: Training) -> int:
    """Bytes of an element that is computed with."""
    return 2 if settings.precision == "bf16" else 4


def saved_activations(
    model: Architecture, settings: Training, launch: Launch, micro: MicroBatch
) -> float:
    """Kept from the forward pass: all of every layer, or its input alone with checkpointing."""
    layer = (
        bytes_of(settings) * micro.tokens * model.hidden
        if launch.gradient_checkpointing
        else layer_activations(model, settings, launch, micro)
    )
    return model.layers * layer + _norm(model, settings) * micro.tokens


def layer_activations(
    model: Architecture, settings: Training, launch: Launch, micro: MicroBatch
) -> float:
    """Kept by one decoder layer for its backward pass.

    A token: two norms; queries, keys, values and output of attention, b(2q + 2k), with one fp32
    number a head in place of the probabilities; gate, its activation, up and their product, 4bf;
    the noise of residual dropout, 2bh. Under sdpa packed rows carry a mask of tokens², with which
    keys and values are repeated over the heads that share them; `auto` is counted as sdpa.
    """
    b = bytes_of(settings)
    masked = launch.packed_tokens is not None and launch.attention in ("auto", "sdpa")
    keys = model.query if masked else model.key_value
    attention = 2 * b * (model.query + keys) + 4 * model.heads
    dropout = 2 * b * model.hidden if settings.last_residual_dropout else 0
    mask = b * micro.tokens**2 if masked else 0
    token = 2 * _norm(model, settings) + attention + 4 * b * model.intermediate + dropout
    return micro.tokens * token + mask


def layer_in_backward(
    model: Architecture, settings: Training, launch: Launch, micro: MicroBatch
) -> float:
    """On top of what is saved while a layer is taken back: gradients b(h + f) a token, and with
    checkpointing what the layer keeps, computed anew."""
    passing = bytes_of(settings) * micro.tokens * (model.hidden + model.intermediate)
    again = launch.gradient_checkpointing
    return passing + (layer_activations(model, settings, launch, micro) if again else 0)


def loss(model: Architecture, settings: Training, micro: MicroBatch) -> float:
    """Logits and loss at their largest; the vocabulary makes them large.

    The head computes trained tokens alone. Forward: their logits, in bf16 a copy in fp32, and their
    log-softmax. Backward: the log-softmax and two gradients of it in fp32; then the gradient of the
    logits, and the head's.
    """
    b, cells = bytes_of(settings), micro.trained * model.vocabulary
    forward = (b + 4 + (4 if b < 4 else 0)) * cells
    softmax = 12 * cells
    head = b * cells + b * model.vocabulary * model.hidden
    return max(forward, softmax, head)


def _norm(model: Architecture, settings: Training) -> float:
    """A token of an RMS norm: its input in fp32, and input and output of the last product."""
    return (4 + 2 * bytes_of(settings)) * model.hidden
