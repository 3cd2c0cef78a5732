"""What a training needs that runs on a machine's CPU: memory of each process, and of all of them.

What one holds at its peak is held against runs by the tests (test_memory.py); beside it stand the
loaded libraries of each, and what glibc keeps of freed blocks, which is not counted.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from limaflow.tools.planning.activations import MicroBatch, bytes_of
from limaflow.tools.planning.architecture import Architecture
from limaflow.tools.planning.memory import Parts, moments, peak, states
from limaflow.tools.planning.plan import GIB, Micro
from limaflow.training.settings import Launch, Training

LIBRARIES = 0.6 * GIB
"""Bytes of a process that has loaded PyTorch, transformers and DeepSpeed (measured: 590 MiB)."""


@dataclass(frozen=True, kw_only=True)
class CpuPlan:
    """Needs of a run on one machine, in bytes."""

    model: Architecture
    launch: Launch
    micro_batch: MicroBatch
    process: dict[str, Parts]
    """The first process at the moments that can be its peak; the others export nothing."""
    memory: float
    """Of all processes at their peaks."""
    fits: bool
    fitting: Launch | None
    """The nearest launch that fits, where this one does not and there is one."""


def plan_on_cpu(
    model: Architecture, settings: Training, launch: Launch, micro: Micro, *, memory: float
) -> CpuPlan:
    """What `launch` needs of a machine with `memory` bytes; several nodes count as one each."""
    needed = _together(model, settings, launch, micro)
    fits = needed <= memory
    others = (c for c in _nearest(settings, launch) if not fits)
    return CpuPlan(
        model=model,
        launch=launch,
        micro_batch=micro(launch),
        process=_held(model, settings, launch, micro),
        memory=needed,
        fits=fits,
        fitting=next((c for c in others if _together(model, settings, c, micro) <= memory), None),
    )


def in_lines(made: CpuPlan, title: str, memory: float) -> str:
    """The plan for a terminal, in GiB; `memory` in bytes."""
    lines = [title, f"on the CPU, {_launch(made.launch)}", ""]
    for moment, parts in made.process.items():
        listed = ", ".join(f"{name} {size / GIB:.2f}" for name, size in parts.items() if size)
        lines.append(f"{moment}: {sum(parts.values()) / GIB:.2f} GiB a process ({listed})")
    verdict = "fits in" if made.fits else "does not fit in"
    advice = ""
    if made.fitting is not None:
        advice = f"; this would: {_launch(made.fitting)}"
    elif not made.fits:
        advice = ", and no smaller launch does; try lora"
    return "\n".join(
        [
            *lines,
            f"memory of the machine: {made.memory / GIB:.1f} GiB, {verdict} {memory / GIB:g} GiB"
            f"{advice}",
        ]
    )


def _together(model: Architecture, settings: Training, launch: Launch, micro: Micro) -> float:
    return launch.planned_processes * peak(_held(model, settings, launch, micro))


def _held(
    model: Architecture, settings: Training, launch: Launch, micro: Micro
) -> dict[str, Parts]:
    """The moments of a step, and that of an export: a copy of the weights, then opened again."""
    lasting = states(model, settings, launch)
    copies = 2 * bytes_of(settings) * model.parameters
    at = moments(model, settings, launch, micro(launch), gpu=False)
    at["export"] = {
        "weights": lasting.weights,
        "fp32 weights": lasting.master,
        "Adam's moments": lasting.moments,
        "kept gradients": lasting.gradients,
        "exported weights": copies,
    }
    return {
        moment: {"libraries": LIBRARIES, **{k: v for k, v in parts.items() if v}}
        for moment, parts in at.items()
    }


def _nearest(settings: Training, launch: Launch) -> Iterator[Launch]:
    """Launches in the order in which one would try them: as many processes first."""
    smallest = None if launch.packed_tokens is None else settings.max_tokens
    for processes in range(launch.planned_processes, 0, -1):
        for tokens in dict.fromkeys((launch.packed_tokens, smallest)):
            for checkpointing in dict.fromkeys((launch.gradient_checkpointing, True)):
                yield launch.model_copy(
                    update={
                        "processes_per_node": processes,
                        "micro_batch_examples": launch.micro_batch_examples if tokens else 1,
                        "micro_batch_tokens": tokens,
                        "gradient_checkpointing": checkpointing,
                    }
                )


def _launch(launch: Launch) -> str:
    length = (
        f"micro_batch_examples {launch.micro_batch_examples}"
        if launch.packed_tokens is None
        else f"micro_batch_tokens {launch.packed_tokens}"
    )
    return (
        f"processes_per_node {launch.planned_processes}, zero_stage {launch.zero_stage}, "
        f"gradient_checkpointing {str(launch.gradient_checkpointing).lower()}, {length}"
    )
