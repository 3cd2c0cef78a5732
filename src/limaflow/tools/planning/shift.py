"""What `limaflow shift run` takes of memory and time: two models, drawing, looking tokens up."""

from dataclasses import dataclass
from math import ceil
from typing import Literal

from limaflow.token_shift.scoring import CELLS
from limaflow.tools.planning.architecture import Architecture
from limaflow.tools.planning.memory import CONTEXT
from limaflow.tools.planning.plan import GIB
from limaflow.training.model_size import MOST_CARDS, USABLE

LOGITS_AT_ONCE = 8
"""Tensors of a piece's logits in fp32: both models', their logarithms, and what is made of them."""
BYTES_A_TOKEN = 2 * 75
"""Of a record's lists, measured on English; twice, since a copy is kept beside the output."""
SECONDS_A_LAYER = 0.8e-3
"""Of one step of decoding, at least: what transformers takes to start a layer's kernels."""


@dataclass(frozen=True, kw_only=True)
class ShiftPlan:
    """Bytes and seconds of one job, whose responses all have the full length."""

    weights: float
    """Of the tuned model and one reference; references are loaded one after another."""
    caches: float
    """Keys and values of a batch of responses in both."""
    logits: float
    batch: int
    gpus: int | None
    """The fewest cards that have room for it; None if a node has too few."""
    largest_batch: int
    """On so many cards (on all of a node's where none is enough); 0: not even one response fits."""
    drawing_seconds: float
    scoring_seconds: float
    """Over all references."""
    disk: float
    """Of the records and what is kept beside them."""

    @property
    def memory(self) -> float:
        """Over all cards, without what CUDA itself takes of each."""
        return self.weights + self.caches + self.logits


def shift_plan(
    model: Architecture,
    *,
    responses: int,
    tokens: int,
    prompt_tokens: int,
    references: int,
    batch: int,
    drawn_at_once: int,
    precision: Literal["bf16", "fp32"],
    gpu_memory: float,
    tflops: float,
    bandwidth: float,
) -> ShiftPlan:
    """Memory and time for a model and references of its size.

    Args:
        tokens: of a response; a row has `prompt_tokens` more.
        gpu_memory: bytes of one card.
        tflops: sustained, in 10^12 operations a second.
        bandwidth: sustained, in bytes a second.
    """
    element = {"bf16": 2, "fp32": 4}[precision]
    weights = element * model.parameters
    row = min(prompt_tokens + tokens, model.context) * 2 * element * model.layers * model.key_value
    logits = LOGITS_AT_ONCE * 4 * max(CELLS, batch * model.vocabulary)

    def room(cards: int) -> float:
        return USABLE * cards * (gpu_memory - CONTEXT) - 2 * weights - logits

    fitting = next((n for n in (1, 2, 4, MOST_CARDS) if room(n) >= 2 * batch * row), None)
    step = max((weights + drawn_at_once * row / 2) / bandwidth, model.layers * SECONDS_A_LAYER)
    operations = 2 * model.parameters * responses * (prompt_tokens + tokens)
    return ShiftPlan(
        weights=2 * weights,
        caches=2 * batch * row,
        logits=logits,
        batch=batch,
        gpus=fitting,
        largest_batch=max(0, int(room(fitting or MOST_CARDS) // (2 * row))),
        drawing_seconds=ceil(responses / drawn_at_once) * tokens * step,
        scoring_seconds=2 * references * operations / (tflops * 1e12),
        disk=BYTES_A_TOKEN * responses * tokens * references,
    )


def in_lines(plan: ShiftPlan, *, gpu_memory: float) -> str:
    """The plan for people."""
    where = (
        f"fits on {plan.gpus} GPU(s) of {gpu_memory / GIB:.0f} GiB, with up to "
        f"{plan.largest_batch} responses at once"
        if plan.gpus
        else f"does not fit on {MOST_CARDS} GPUs of {gpu_memory / GIB:.0f} GiB: lower --batch "
        f"({plan.largest_batch} would fit)"
    )
    return "\n".join(
        (
            f"weights of two models        {plan.weights / GIB:8.1f} GiB",
            f"keys and values, {plan.batch:3d} at once {plan.caches / GIB:8.1f} GiB",
            f"logits, in pieces            {plan.logits / GIB:8.1f} GiB",
            f"together                     {plan.memory / GIB:8.1f} GiB: {where}",
            f"drawing                      {plan.drawing_seconds / 60:8.0f} min, at least",
            f"looking tokens up            {plan.scoring_seconds / 60:8.0f} min, at least",
            f"disk                         {plan.disk / 1e6:8.0f} MB",
        )
    )
