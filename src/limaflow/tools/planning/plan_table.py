"""A plan as a table for a terminal, in GiB."""

from limaflow.tools.planning.answering import Answering
from limaflow.tools.planning.memory import world_of
from limaflow.tools.planning.plan import GIB, Plan
from limaflow.training.model_size import MOST_CARDS
from limaflow.training.settings import Launch


def table(plan: Plan, title: str, *, gpu_memory: float | None) -> str:
    """The plan as lines of text; `gpu_memory` in bytes."""
    model, micro = plan.model, plan.micro_batch
    moments = list(plan.gpu)
    parts = list(dict.fromkeys(part for held in plan.gpu.values() for part in held))
    lines = [
        title,
        f"{model.parameters / 1e9:.2f} billion parameters, "
        f"{plan.trained_parameters / 1e9:.4g} billion trained; {_launch(plan.launch)}",
        f"largest micro-batch: {micro.tokens:,} tokens, {micro.trained:,} of them trained; "
        f"{micro.per_step} a step on each GPU",
        "",
        _row("GiB on one GPU at", moments),
        *[_row(part, [_gib(held.get(part, 0)) for held in plan.gpu.values()]) for part in parts],
        _row("together", [_gib(sum(held.values())) for held in plan.gpu.values()]),
        "",
        f"peak of one GPU: {plan.gpu_peak / GIB:.1f} GiB{_verdict(plan, gpu_memory)}",
        f"host memory of one node: {_sum(plan.host)}",
        f"disk: {_listed(plan.disk)}",
    ]
    return "\n".join(lines)


def answering_lines(answers: Answering, gpu_memory: float) -> str:
    """What responses and benchmarks take; `gpu_memory` in bytes."""
    card = f"{gpu_memory / GIB:.0f} GiB"
    if answers.fits:
        fit = f"{answers.at_once} at once fit in {card} a GPU"
    elif answers.gpus_that_fit is None:
        fit = f"does not fit in {card} a GPU, nor on {MOST_CARDS} of them"
    else:
        fit = f"does not fit in {card} a GPU; generation.gpus: {answers.gpus_that_fit} would"
    return (
        f"responses and benchmarks, on {answers.gpus} GPU(s) a job: weights "
        f"{answers.weights / GIB:.1f} GiB, {answers.cache_per_response / GIB:.2f} GiB of cache a "
        f"response of {answers.response_tokens:,} tokens with its prompt: {fit}"
    )


def _verdict(plan: Plan, gpu_memory: float | None) -> str:
    if gpu_memory is None:
        return ""
    if plan.fits:
        spare = plan.without_recomputing
        room = (
            f"; with {spare / GIB:.1f} GiB without gradient_checkpointing too, which takes "
            "every forward pass twice"
            if spare is not None
            else ""
        )
        return f": fits in {gpu_memory / GIB:.0f} GiB{room}"
    missing = f": does not fit in {gpu_memory / GIB:.0f} GiB"
    if plan.fitting is None:
        return f"{missing}, and nothing up to one example a process does; try offload or lora"
    return f"{missing}; this would: {_launch(plan.fitting)}"


def _launch(launch: Launch) -> str:
    length = (
        f"micro_batch_examples {launch.micro_batch_examples}"
        if launch.packed_tokens is None
        else f"micro_batch_tokens {launch.packed_tokens}"
    )
    return (
        f"nodes {launch.nodes}, processes_per_node {launch.processes_per_node} "
        f"({world_of(launch)} GPUs), zero_stage {launch.zero_stage}, offload {launch.offload}, "
        f"gradient_checkpointing {str(launch.gradient_checkpointing).lower()}, {length}"
    )


def _row(name: str, cells: list[str]) -> str:
    return f"{name:24}" + "".join(f"{cell:>18}" for cell in cells)


def _gib(size: float) -> str:
    return f"{size / GIB:.2f}" if size else "-"


def _listed(parts: dict[str, float]) -> str:
    return ", ".join(f"{name} {size / GIB:,.1f} GiB" for name, size in parts.items())


def _sum(parts: dict[str, float]) -> str:
    return f"{sum(parts.values()) / GIB:,.0f} GiB ({_listed(parts)})"
