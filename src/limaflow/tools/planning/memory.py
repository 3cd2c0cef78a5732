"""What one process of a training run holds in memory, part by part at the moments that matter.

Model states follow ZeRO (Rajbhandari et al. 2020, arXiv 1910.02054, section 3: weights, gradients,
and twelve bytes a parameter for the optimizer, divided over the processes). What DeepSpeed adds to
them (buckets, gathered weights, temporaries) is counted as version 0.19 does it. The tests
(test_memory.py) hold all of it against runs.
"""

from dataclasses import dataclass

from limaflow.tools.planning.activations import (
    MicroBatch,
    bytes_of,
    layer_in_backward,
    loss,
    saved_activations,
)
from limaflow.tools.planning.architecture import Architecture
from limaflow.training.settings import Launch, Training

BUCKET = 500_000_000
"""Elements of DeepSpeed's reduce bucket (its default)."""
GATHERED = 1_050_000_000
"""Elements of whole weights that ZeRO-3 keeps (stage3_max_live_parameters) and fetches ahead."""
SUB_GROUP = 1_000_000_000
"""Elements that ZeRO-3 updates at once."""
CONTEXT = 2 * 2**30
"""Bytes of CUDA's context, NCCL and fragmentation; an assumption."""
NF4 = 0.516
"""Bytes of a weight in 4 bits with its quantized constants (QLoRA, arXiv 2305.14314, section 3)."""

Parts = dict[str, float]
"""What is held → bytes."""


@dataclass(frozen=True, kw_only=True)
class States:
    """Bytes of the model states of one process, before any offloading."""

    weights: float
    master: float
    """fp32 copy of the weights that the optimizer updates; stage 0 updates the weights."""
    moments: float
    """Adam's two, in fp32."""
    gradients: float
    """A buffer of summed gradients that lasts: ZeRO-3's share; at ZeRO-1 all, where apart."""


def world_of(launch: Launch) -> int:
    """Processes of a launch, each with a GPU of its own."""
    return launch.nodes * launch.planned_processes


def trained_parameters(model: Architecture, settings: Training) -> int:
    """Parameters that the optimizer updates: all, or rank · (inputs + outputs) for each adapter
    (LoRA, arXiv 2106.09685) and the end-of-turn token's rows."""
    if settings.lora is None:
        return model.parameters
    wanted = settings.lora.target_modules
    ends = sum(
        ends
        for name, (ends, _) in model.linears.items()
        if wanted == "all-linear" or name in wanted
    )
    return settings.lora.rank * ends + 2 * model.hidden


def weight_bytes(model: Architecture, settings: Training) -> float:
    """Bytes of all weights as they are computed with, adapters included."""
    b = bytes_of(settings)
    if settings.lora is None:
        return b * model.parameters
    quantized = sum(weights for _, weights in model.linears.values())
    if settings.lora.quantize is None:
        quantized = 0
    plain = model.parameters - quantized + trained_parameters(model, settings)
    return b * plain + NF4 * quantized


def states(model: Architecture, settings: Training, launch: Launch) -> States:
    """Model states, divided as the ZeRO stage says: optimizer from 1, gradients 2, weights 3."""
    stage, world = launch.zero_stage, world_of(launch)
    trained = trained_parameters(model, settings)
    return States(
        weights=weight_bytes(model, settings) / (world if stage == 3 else 1),
        master=4 * trained / world if stage else 0,
        moments=8 * trained / (world if stage else 1),
        gradients=_sum_bytes(settings) * trained * _lasting_share(settings, launch),
    )


def _whole(settings: Training, launch: Launch) -> bool:
    """Whether DeepSpeed takes its optimizer of ZeRO-1 in bf16, which keeps all gradients whole."""
    return _sums_apart(settings) and launch.zero_stage == 1 and launch.offload == "none"


def _sums_apart(settings: Training) -> bool:
    """Whether gradients are summed in another precision than they are computed in."""
    return settings.gradient_sums != settings.precision


def _sum_bytes(settings: Training) -> int:
    """Bytes of an element of a sum of gradients."""
    return 4 if settings.gradient_sums == "fp32" else 2


def _lasting_share(settings: Training, launch: Launch) -> float:
    """The share of all gradients whose sums one process keeps from step to step."""
    return 1 / world_of(launch) if launch.zero_stage == 3 else float(_whole(settings, launch))


def moments(
    model: Architecture, settings: Training, launch: Launch, micro: MicroBatch, *, gpu: bool
) -> dict[str, Parts]:
    """What one process holds at the moments that can be its peak, in bytes.

    Args:
        gpu: on a GPU a bucket counts whole; on a CPU only the pages count that are written. What is
            offloaded is left out on a GPU.
    """
    trained = trained_parameters(model, settings)
    kept = _kept(model, settings, launch, gpu=gpu)
    gathered = bytes_of(settings) * min(GATHERED, model.parameters) if launch.zero_stage == 3 else 0
    merged_head = bytes_of(settings) * model.vocabulary * model.hidden if settings.lora else 0
    working = kept | {"gathered weights": gathered, "head with trained rows": merged_head}
    bucket = _bucket(trained, settings, launch, gpu=gpu)
    gradients = _accumulated(trained, settings, launch, micro)
    saved = saved_activations(model, settings, launch, micro)
    layer = layer_in_backward(model, settings, launch, micro)
    at = {
        "loss": working
        | {"gradients": gradients, "activations": saved, "loss": loss(model, settings, micro)}
        | (bucket if gpu else {}),
        "first layer back": working
        | {"gradients": gradients, "activations": saved + layer}
        | bucket,
        "last layer back": working
        | {"gradients": 4 * trained if launch.zero_stage == 0 else gradients}
        | _reduction(trained, layer, settings, launch, micro)
        | bucket,
        "update": kept | _update(model, settings, launch, gpu=gpu),
    }
    return {
        moment: {part: size for part, size in parts.items() if size} for moment, parts in at.items()
    }


def peak(held: dict[str, Parts]) -> float:
    """The largest sum over the parts of a moment, in bytes."""
    return max(sum(parts.values()) for parts in held.values())


def _kept(model: Architecture, settings: Training, launch: Launch, *, gpu: bool) -> Parts:
    """What lasts from step to step."""
    lasting = states(model, settings, launch)
    away = gpu and launch.offload != "none"
    trained = trained_parameters(model, settings)
    return {
        "weights": 0 if gpu and launch.offload == "parameters" else lasting.weights,
        "fp32 weights": 0 if away else lasting.master,
        "Adam's moments": 0 if away else lasting.moments,
        "kept gradients": 0 if away else lasting.gradients,
        "reduce buckets": _elements(trained, gpu=gpu) * bytes_of(settings)
        if launch.zero_stage == 3
        else 0,
        "CUDA, NCCL (assumed)": CONTEXT if gpu else 0,
    }


def _elements(trained: int, *, gpu: bool) -> int:
    return BUCKET if gpu else min(BUCKET, trained)


def _bucket(trained: int, settings: Training, launch: Launch, *, gpu: bool) -> Parts:
    """Stages 1 and 2 fill a bucket in the backward pass; stage 3's is counted with what lasts."""
    if launch.zero_stage not in (1, 2) or _whole(settings, launch):
        return {}
    return {"reduce buckets": bytes_of(settings) * _elements(trained, gpu=gpu)}


def _accumulated(trained: int, settings: Training, launch: Launch, micro: MicroBatch) -> float:
    """Gradients of the step's earlier micro-batches, where no lasting buffer has them."""
    if micro.per_step == 1 or launch.zero_stage == 3 or _whole(settings, launch):
        return 0
    return _sum_bytes(settings) * trained / (world_of(launch) if launch.zero_stage == 2 else 1)


def _reduction(
    trained: int, layer: float, settings: Training, launch: Launch, micro: MicroBatch
) -> Parts:
    """The flat copy of a bucket that is sent, and the partition that is kept of what comes back.

    Stage 0, and a single bucket that holds all, are reduced when no layer is held any more. The
    fp32 sums of bf16 are a buffer of their own beside what is sent, and the same one for all
    micro-batches of a step.
    """
    b = bytes_of(settings)
    if launch.zero_stage == 0 and world_of(launch) == 1:
        # There is nobody to send them to.
        return {"activations": layer}
    if _whole(settings, launch):
        # All at once, in the precision in which it travels.
        return {"sent gradients": max(b * trained, layer)}
    sent: float = b * min(BUCKET, trained)
    own = _sum_bytes(settings) * trained / world_of(launch) if launch.zero_stage in (1, 2) else 0
    apart = _sums_apart(settings)
    if apart and micro.per_step > 1:
        own = 0
    if launch.zero_stage and trained > BUCKET:
        return {"activations": layer, "sent gradients": sent + own}
    sent = sent + own if apart else max(sent, own)
    return {"activations": layer} if layer > sent else {"sent gradients": sent}


def _update(model: Architecture, settings: Training, launch: Launch, *, gpu: bool) -> Parts:
    """fp32 gradients of this process's share; a fused AdamW has no temporaries."""
    trained = trained_parameters(model, settings)
    if (gpu and launch.offload != "none") or _whole(settings, launch):
        return {}
    if launch.zero_stage == 0:
        return {"gradients": 4 * trained}
    share = trained / world_of(launch)
    return {"gradients": 4 * (min(share, float(SUB_GROUP)) if launch.zero_stage == 3 else share)}
