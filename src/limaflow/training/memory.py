"""What one process of a training run holds in memory, part by part at the moments that matter.

Model states follow ZeRO (Rajbhandari et al. 2020, arXiv 1910.02054, section 3: weights, gradients,
and twelve bytes a parameter for the optimizer, divided over the processes), activations the way of
counting of Korthikanti et al. 2022 (arXiv 2205.05198, section 4), with the terms of a Llama layer in
transformers in place of GPT's. What DeepSpeed adds (buckets, gathered weights, temporaries) is
counted as version 0.19 does it. tests/unit/training/test_memory.py holds all of it against runs.
"""

from dataclasses import dataclass

from limaflow.config import Launch, Recipe
from limaflow.training.architecture import Architecture

BUCKET = 500_000_000
"""Elements of DeepSpeed's reduce bucket (its default)."""
GATHERED = 1_050_000_000
"""Elements of whole weights that ZeRO-3 keeps (stage3_max_live_parameters) and fetches ahead."""
SUB_GROUP = 1_000_000_000
"""Elements that ZeRO-3 updates at once."""
CONTEXT = 2 * 2**30
"""Bytes of CUDA's context, NCCL and fragmentation; an assumption."""

Parts = dict[str, float]
"""What is held → bytes."""


@dataclass(frozen=True, kw_only=True)
class MicroBatch:
    """The largest micro-batch of a run."""

    tokens: int
    """Positions computed, padding included."""
    trained: int
    """Tokens that the loss is taken on."""
    per_step: int
    """Micro-batches of one process in an optimizer step."""


def moments(
    model: Architecture, recipe: Recipe, launch: Launch, micro: MicroBatch, *, gpu: bool
) -> dict[str, Parts]:
    """What one process holds at the moments that can be its peak, in bytes.

    Args:
        gpu: on a GPU a bucket counts whole, and AdamW updates tensors together; on a CPU only the
            pages count that are written, and tensors are updated one by one.
    """
    kept = _kept(model, recipe, launch, gpu=gpu)
    gradients = _accumulated(model, recipe, launch, micro)
    saved = saved_activations(model, recipe, launch, micro)
    layer = layer_in_backward(model, recipe, launch, micro)
    bucket = _buckets(model, recipe, launch, gpu=gpu)
    working = kept | _gathered(model, recipe, launch)
    return {
        "loss": working
        | {"gradients": gradients, "activations": saved, "loss": loss(model, recipe, micro)}
        | ({"reduce buckets": bucket["reduce buckets"]} if gpu and bucket else {}),
        "first layer back": working
        | {"gradients": gradients, "activations": saved + layer}
        | bucket,
        "last layer back": working
        | {
            "gradients": max(gradients, _whole_gradients(model, recipe, launch)),
            # One bucket that holds all is reduced after the last layer's activations are gone.
            "activations": layer if launch.zero_stage == 0 or _buckets_needed(model) > 1 else 0,
        }
        | bucket
        | _reduction(model, recipe, launch),
        "update": kept | _update(model, recipe, launch, gpu=gpu),
    }


def peak(held: dict[str, Parts]) -> float:
    """The largest sum over the parts of a moment, in bytes."""
    return max(sum(parts.values()) for parts in held.values())


def bytes_of(recipe: Recipe) -> int:
    """Bytes of an element that is computed with."""
    return 2 if recipe.precision == "bf16" else 4


def world_of(launch: Launch) -> int:
    return launch.nodes * launch.processes_per_node


def _partition(launch: Launch, *, from_stage: int) -> int:
    """By how much ZeRO divides a state: optimizer from stage 1, gradients 2, weights 3."""
    return world_of(launch) if launch.zero_stage >= from_stage else 1


def _kept(model: Architecture, recipe: Recipe, launch: Launch, *, gpu: bool) -> Parts:
    """Model states that last from step to step."""
    b, size = bytes_of(recipe), model.parameters
    parts: Parts = {
        "weights": b * size / _partition(launch, from_stage=3),
        "Adam's moments": 8 * size / _partition(launch, from_stage=1),
    }
    if launch.zero_stage:
        parts["fp32 weights"] = 4 * size / world_of(launch)
    if launch.zero_stage == 3:
        parts["kept gradients"] = b * size / world_of(launch)
        parts["reduce buckets"] = b * (BUCKET if gpu else min(BUCKET, size))
    return parts


def _accumulated(
    model: Architecture, recipe: Recipe, launch: Launch, micro: MicroBatch
) -> float:
    """Gradients of earlier micro-batches of the step; ZeRO-3 keeps them in a buffer of its own."""
    if micro.per_step == 1 or launch.zero_stage == 3:
        return 0
    return bytes_of(recipe) * model.parameters / _partition(launch, from_stage=2)


def _whole_gradients(model: Architecture, recipe: Recipe, launch: Launch) -> float:
    return 4 * model.parameters if launch.zero_stage == 0 else 0


def _buckets(model: Architecture, recipe: Recipe, launch: Launch, *, gpu: bool) -> Parts:
    """Stages 1 and 2 fill a bucket in the backward pass; stage 3's is counted with what lasts."""
    if launch.zero_stage not in (1, 2):
        return {}
    return {"reduce buckets": bytes_of(recipe) * (BUCKET if gpu else min(BUCKET, model.parameters))}


def _buckets_needed(model: Architecture) -> int:
    return -(-model.parameters // BUCKET)


def _reduction(model: Architecture, recipe: Recipe, launch: Launch) -> Parts:
    """The flat copy of a bucket that is sent, and the partition that is kept of what comes back."""
    b = bytes_of(recipe)
    sent = b * min(BUCKET, model.parameters)
    if launch.zero_stage in (0, 3):
        return {"sent gradients": sent}
    own = b * model.parameters / world_of(launch)
    return {"sent gradients": max(sent, own) if _buckets_needed(model) == 1 else sent + own}


def _gathered(model: Architecture, recipe: Recipe, launch: Launch) -> Parts:
    if launch.zero_stage < 3:
        return {}
    return {"gathered weights": bytes_of(recipe) * min(GATHERED, model.parameters)}


def _update(model: Architecture, recipe: Recipe, launch: Launch, *, gpu: bool) -> Parts:
    """fp32 gradients of this process's share, and AdamW's temporaries: one on a GPU, else two."""
    if launch.zero_stage == 0:
        tensor = 4 * (model.parameters if gpu else 2 * model.largest_parameter)
        return {"gradients": 4 * model.parameters, "update": tensor}
    share = model.parameters / world_of(launch)
    if launch.zero_stage == 3:
        share = min(share, SUB_GROUP)
    return {"gradients": 4 * share, "update": (4 if gpu else 8) * share}


def saved_activations(
    model: Architecture, recipe: Recipe, launch: Launch, micro: MicroBatch
) -> float:
    """Bytes kept from the forward pass: of every layer, or its input alone with checkpointing."""
    b = bytes_of(recipe)
    layer = (
        b * micro.tokens * model.hidden
        if launch.gradient_checkpointing
        else layer_activations(model, recipe, launch, micro)
    )
    return model.layers * layer + _norm(model, recipe) * micro.tokens


def layer_activations(
    model: Architecture, recipe: Recipe, launch: Launch, micro: MicroBatch
) -> float:
    """Bytes that one decoder layer keeps for its backward pass.

    For each token, in elements of hidden size h, queries q, keys k and intermediate size f:
    two norms (an fp32 copy, and input and output of the last product), q, k, v and the output of
    attention, gate, its activation, up and their product: 4f. Attention keeps no matrix of
    probabilities but a number a head; residual dropout keeps its noise. Packed rows carry a mask of
    tokens², for which keys and values are repeated over the heads that share them.
    """
    b, tokens = bytes_of(recipe), micro.tokens
    packed = launch.micro_batch_tokens is not None
    keys = model.query if packed else model.key_value
    attention = b * (2 * model.query + 2 * keys) + 4 * model.heads
    dropout = 2 * model.hidden * b if recipe.residual_dropout else 0
    mask = b * tokens**2 if packed else 0
    token = 2 * _norm(model, recipe) + attention + b * 4 * model.intermediate + dropout
    return tokens * token + mask


def layer_in_backward(
    model: Architecture, recipe: Recipe, launch: Launch, micro: MicroBatch
) -> float:
    """Bytes on top of what is saved while one layer is taken back: gradients of its activations,
    and with checkpointing the activations themselves, computed anew."""
    passing = bytes_of(recipe) * micro.tokens * (model.hidden + model.intermediate)
    again = launch.gradient_checkpointing
    return passing + (layer_activations(model, recipe, launch, micro) if again else 0)


def _norm(model: Architecture, recipe: Recipe) -> float:
    """Bytes a token that an RMS norm keeps."""
    return (4 + 2 * bytes_of(recipe)) * model.hidden


def loss(model: Architecture, recipe: Recipe, micro: MicroBatch) -> float:
    """Bytes of logits and loss at their largest; the vocabulary makes them large.

    Forward: all logits, those of trained tokens in fp32, and their log-softmax. Backward: log-softmax
    and two gradients of it in fp32, then the gradients of trained and of all logits.
    """
    b, v = bytes_of(recipe), model.vocabulary
    forward = b * micro.tokens * v + 8 * micro.trained * v
    softmax = 12 * micro.trained * v
    head = 2 * b * micro.tokens * v + b * v * model.hidden
    return max(forward, softmax, head)
