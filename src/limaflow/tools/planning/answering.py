"""What a job takes of its GPUs that runs the model for responses or benchmarks."""

from dataclasses import dataclass

from limaflow.generation.settings import Generation
from limaflow.tools.planning.architecture import Architecture
from limaflow.tools.planning.memory import CONTEXT
from limaflow.tools.planning.plan import GIB
from limaflow.training.model_size import MOST_CARDS, RunSize


@dataclass(frozen=True, kw_only=True)
class Answering:
    """Needs of one job, in bytes."""

    gpus: int
    """As configured, or as `auto` counts them by generation.gpu_memory."""
    weights: float
    cache_per_response: float
    """At the full length: as many tokens of a prompt as of its response, within the context."""
    response_tokens: int
    at_once: int
    """Responses that fit beside the weights, of generation.batch."""
    gpus_that_fit: int | None
    """The fewest cards with room for the weights and one response; None if a node has too few."""

    @property
    def fits(self) -> bool:
        return self.at_once > 0


def answering(model: Architecture, block: Generation, gpu_memory: float) -> Answering:
    """The needs of a model; layers are divided evenly over the cards.

    Args:
        gpu_memory: bytes of one card.
    """
    element = {"bf16": 2, "fp32": 4}[block.precision]
    size = RunSize(
        weights=element * model.parameters,
        cache_per_token=2 * element * model.layers * model.key_value,
        context=model.context,
    )
    tokens = min(2 * block.decoding.max_tokens, model.context)
    cards = (
        size.cards(block.gpu_memory * GIB, 2 * block.decoding.max_tokens)
        if block.gpus == "auto"
        else block.gpus
    )
    row = tokens * size.cache_per_token

    def room(count: int) -> float:
        return count * (gpu_memory - CONTEXT) - size.weights

    fitting = (count for count in (1, 2, 4, MOST_CARDS) if room(count) >= row)
    return Answering(
        gpus=cards,
        weights=size.weights,
        cache_per_response=row,
        response_tokens=tokens,
        at_once=max(0, min(block.batch, int(room(cards) // row))),
        gpus_that_fit=next(fitting, None),
    )
