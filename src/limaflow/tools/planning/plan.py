"""What a training run will need before it waits in a queue: GPU, host and disk."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from limaflow.errors import InputError
from limaflow.tools.planning.activations import MicroBatch, bytes_of
from limaflow.tools.planning.architecture import Architecture
from limaflow.tools.planning.memory import (
    Parts,
    moments,
    peak,
    states,
    trained_parameters,
    weight_bytes,
    world_of,
)
from limaflow.training.batches import packed_shares, shares, steps_of_epoch
from limaflow.training.conversation import TokenizedExample
from limaflow.training.layout import micro_steps
from limaflow.training.settings import Launch, Preference, Training

GIB = 2**30
INTERPRETER = 1.5 * GIB
"""Bytes of host memory of one process with its libraries loaded; an assumption."""

Micro = Callable[[Launch], MicroBatch]
"""The largest micro-batch under a launch."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Needs of a run, in bytes."""

    model: Architecture
    trained_parameters: int
    launch: Launch
    micro_batch: MicroBatch
    gpu: dict[str, Parts]
    """One GPU at the moments that can be its peak."""
    gpu_peak: float
    host: Parts
    """One node."""
    disk: Parts
    fits: bool | None
    """Whether the peak stays within the GPU's memory; None if that memory is unknown."""
    fitting: Launch | None
    """The nearest launch that fits, where this one does not and there is one."""
    without_recomputing: float | None
    """The peak of one GPU without gradient checkpointing, where it has it and would fit so."""


def plan(
    model: Architecture,
    settings: Training,
    launch: Launch,
    micro: Micro,
    *,
    exports: int,
    reference: bool = False,
    gpu_memory: float | None = None,
) -> Plan:
    """What `launch` needs of GPU, host and disk.

    Args:
        exports: number of epochs whose models are written.
        reference: whether a frozen copy of the model stands beside it (preference tuning).
        gpu_memory: bytes of one GPU.

    Raises:
        InputError: the recipe's examples are longer than the model's context.
    """
    if settings.max_tokens > model.context:
        raise InputError(
            f"training.max_tokens {settings.max_tokens} exceeds the base model's context of "
            f"{model.context}"
        )

    def on_gpu(candidate: Launch) -> dict[str, Parts]:
        at = moments(model, settings, candidate, micro(candidate), gpu=True)
        beside = {"reference model": _frozen(model, settings, candidate)} if reference else {}
        return {moment: parts | beside for moment, parts in at.items()}

    def highest(candidate: Launch) -> float:
        return peak(on_gpu(candidate))

    fits = None if gpu_memory is None else highest(launch) <= gpu_memory
    fitting = None
    if gpu_memory is not None and not fits:
        fitting = next((c for c in _nearest(settings, launch) if highest(c) <= gpu_memory), None)
    plain = launch.model_copy(update={"gradient_checkpointing": False})
    kept = highest(plain) if launch.gradient_checkpointing and fits else None
    return Plan(
        model=model,
        trained_parameters=trained_parameters(model, settings),
        launch=launch,
        micro_batch=micro(launch),
        gpu=on_gpu(launch),
        gpu_peak=highest(launch),
        host=_host(model, settings, launch, models=2 if reference else 1),
        disk=disk(model, settings, launch, exports),
        fits=fits,
        fitting=fitting,
        without_recomputing=kept if kept and gpu_memory and kept <= gpu_memory else None,
    )


def pairs_possible(preference: Preference) -> Micro:
    """Micro-batches of pairs, both responses as long as may be; pairs are never packed."""

    def micro(launch: Launch) -> MicroBatch:
        tokens = 2 * launch.micro_batch_examples * preference.max_tokens
        shared = world_of(launch) * launch.micro_batch_examples
        steps = math.ceil(preference.batch_examples / shared)
        return MicroBatch(tokens=tokens, trained=tokens, per_step=steps)

    return micro


def largest_possible(settings: Training) -> Micro:
    """Micro-batches of which nothing is known: full of the longest examples, all tokens trained."""

    def micro(launch: Launch) -> MicroBatch:
        if launch.packed_tokens is None:
            tokens = launch.micro_batch_examples * settings.max_tokens
        else:
            tokens = max(launch.packed_tokens, settings.max_tokens)
        needed = settings.batch_examples * settings.max_tokens / (world_of(launch) * tokens)
        return MicroBatch(tokens=tokens, trained=tokens, per_step=math.ceil(needed))

    return micro


def largest_of(examples: Sequence[TokenizedExample], settings: Training, *, seed: int) -> Micro:
    """Micro-batches as the run will make them of these examples."""
    lengths = [len(example.tokens) for example in examples]

    def micro(launch: Launch) -> MicroBatch:
        world = world_of(launch)
        splits = micro_steps(lengths, settings, launch, world=world, seed=seed)
        tokens = trained = 0
        for epoch in range(1, settings.epochs + 1):
            for step in steps_of_epoch(
                len(lengths), settings.batch_examples, seed=seed, epoch=epoch
            ):
                sizes = [lengths[index] for index in step]
                if launch.packed_tokens is None:
                    parts = shares(sizes, world, splits)
                else:
                    parts = packed_shares(sizes, world, launch.packed_tokens, splits)
                for batch in (part for rank in parts for part in rank if part):
                    rows = [sizes[place] for place in batch]
                    padded = launch.packed_tokens is None
                    tokens = max(tokens, len(rows) * max(rows) if padded else sum(rows))
                    trained = max(trained, sum(examples[step[p]].trained for p in batch))
        return MicroBatch(tokens=tokens, trained=trained, per_step=splits)

    return micro


def disk(model: Architecture, settings: Training, launch: Launch, exports: int) -> Parts:
    """Bytes on disk of what a run leaves and of what it needs on the way.

    A checkpoint holds the optimizer's states, and below ZeRO-3 the weights beside their fp32 copy.
    One more than `keep_checkpoints` is there while the newest is written.
    """
    world = world_of(launch)
    whole = states(model, settings, launch)
    trained = bytes_of(settings) * trained_parameters(model, settings)
    divided = launch.zero_stage > 0
    checkpoint = (whole.master + whole.moments) * (world if divided else 1)
    checkpoint += trained if launch.zero_stage < 3 else 0
    return {
        "one checkpoint": checkpoint,
        "checkpoints kept": launch.keep_checkpoints * checkpoint,
        "one export": bytes_of(settings) * model.parameters,
        "exports": exports * bytes_of(settings) * model.parameters,
        "at the most": (launch.keep_checkpoints + 1) * checkpoint
        + exports * bytes_of(settings) * model.parameters,
    }


def _frozen(model: Architecture, settings: Training, launch: Launch) -> float:
    """Bytes of a frozen copy of the weights, which ZeRO-3 alone divides."""
    return weight_bytes(model, settings) / (world_of(launch) if launch.zero_stage == 3 else 1)


def _host(model: Architecture, settings: Training, launch: Launch, models: int) -> Parts:
    """Memory of one node: below ZeRO-3 each process reads all `models`, at ZeRO-3 the first
    alone one after the other; an export gathers the trained one once more on the first."""
    processes = launch.planned_processes
    lasting = states(model, settings, launch)
    readers = 1 if launch.zero_stage == 3 else models * processes
    loading = weight_bytes(model, settings) * readers
    offloaded = 0.0
    if launch.offload != "none":
        # DeepSpeed's CPU optimizer holds fp32 gradients beside the states.
        fp32_gradients = 4 * trained_parameters(model, settings) / world_of(launch)
        offloaded = lasting.master + lasting.moments + lasting.gradients + fp32_gradients
    if launch.offload == "parameters":
        offloaded += lasting.weights
    parts = {
        "processes (assumed)": processes * INTERPRETER,
        "loading or export": max(loading, bytes_of(settings) * model.parameters),
        "offloaded": processes * offloaded,
    }
    return {name: size for name, size in parts.items() if size}


def _nearest(settings: Training, launch: Launch) -> Iterator[Launch]:
    """Launches in the order in which one would try them: on the same GPUs first."""
    smallest = None if launch.packed_tokens is None else settings.max_tokens
    for nodes, processes in _machines(settings, launch):
        for tokens in dict.fromkeys((launch.packed_tokens, smallest)):
            for checkpointing in dict.fromkeys((launch.gradient_checkpointing, True)):
                for stage in range(launch.zero_stage, 4):
                    yield launch.model_copy(
                        update={
                            "nodes": nodes,
                            "processes_per_node": processes,
                            "micro_batch_examples": launch.micro_batch_examples if tokens else 1,
                            "micro_batch_tokens": tokens,
                            "gradient_checkpointing": checkpointing,
                            "zero_stage": stage,
                        }
                    )


def _machines(settings: Training, launch: Launch) -> Iterator[tuple[int, int]]:
    """This many nodes and processes, then more that share a batch evenly; nodes of up to 8 GPUs."""
    largest = max(8, launch.planned_processes)
    yield launch.nodes, launch.planned_processes
    for total in range(world_of(launch) + 1, settings.batch_examples + 1):
        per_node = min(total, largest)
        if settings.batch_examples % total == 0 and total % per_node == 0:
            yield total // per_node, per_node
