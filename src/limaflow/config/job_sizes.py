"""What the jobs that run a model ask of a node, as it follows from the experiment.

A profile may override each number (`set-resources`, `set-threads`). A stand-in for the base model
is small and needs no GPU.
"""

from dataclasses import dataclass

from limaflow.arms.model import ModelArm
from limaflow.config.experiment import Config
from limaflow.training.model_size import run_size

CPUS_A_GPU = 4
"""For a process on a GPU: its own thread, those that load and pin its data, and NCCL's."""


@dataclass(frozen=True, kw_only=True)
class JobSize:
    """What one job asks for, on each of its nodes."""

    cpus: int
    gpus: int
    memory_mb: int
    """More with each attempt by as much as `memory_mb_more`."""
    memory_mb_more: int
    minutes: int
    minutes_more: int = 0
    """More with each attempt, where a job begins anew."""
    nodes: int = 1

    def memory_at(self, attempt: int) -> int:
        """In MB."""
        return self.memory_mb + self.memory_mb_more * (attempt - 1)

    def minutes_at(self, attempt: int) -> int:
        """The time limit."""
        return self.minutes + self.minutes_more * (attempt - 1)

    @property
    def gres(self) -> str | None:
        """As SLURM calls its GPUs."""
        return f"gpu:{self.gpus}" if self.gpus else None


def idle_rules(config: Config) -> set[str]:
    """Rules that make an arm's model by a job of its own, and have no arm to do it for."""
    idle = {"fine_tune", "prefer", "average_models"} - {arm.model_rule for arm in config.arms}
    return idle if config.dialogue.scripts else idle | {"hold_dialogues"}


def job_sizes(config: Config) -> dict[str, JobSize]:
    """Rule → the size of its jobs."""
    launch = config.launch
    if config.base.stand_in:
        small = JobSize(cpus=1, gpus=0, memory_mb=4000, memory_mb_more=4000, minutes=60)
        training = JobSize(
            cpus=launch.planned_processes,
            gpus=0,
            memory_mb=4000,
            memory_mb_more=4000,
            minutes=60,
            nodes=launch.nodes,
        )
        return {
            "fine_tune": training,
            "prefer": training,
            "respond_dev": small,
            "respond": small,
            "hold_dialogues": small,
            "lm_eval": small,
            "shift_tokens": small,
        }

    answering = answering_gpus(config)

    def on_gpus(hours: int, more: int = 0, gpus: int = answering) -> JobSize:
        """Host memory for the weights (2 bytes a parameter), and as much while they are read."""
        return JobSize(
            cpus=CPUS_A_GPU * gpus,
            gpus=gpus,
            memory_mb=32_000 * gpus,
            memory_mb_more=32_000 * gpus,
            minutes=60 * hours,
            minutes_more=60 * more,
        )

    training = JobSize(
        cpus=CPUS_A_GPU * launch.planned_processes,
        gpus=launch.planned_processes,
        memory_mb=150_000,
        memory_mb_more=50_000,
        minutes=60 * 24,
        nodes=launch.nodes,
    )
    return {
        "fine_tune": training,
        "prefer": training,
        # These go on where they were, and lm-eval begins anew.
        "respond_dev": on_gpus(8),
        "respond": on_gpus(12),
        "hold_dialogues": on_gpus(12),
        "lm_eval": on_gpus(12, more=12),
        "shift_tokens": on_gpus(12, gpus=answering_gpus(config, models=2)),
    }


def answering_gpus(config: Config, models: int = 1) -> int:
    """Cards of a job that runs a model: as configured, or as many as the largest named model takes.

    One where `auto` meets a model of which nothing is known here.

    Args:
        models: so many of that size at once.
    """
    block = config.generation
    if block.gpus != "auto":
        return block.gpus
    element = {"bf16": 2, "fp32": 4}[block.precision]
    names = [config.base.path, *(arm.path for arm in config.arms if isinstance(arm, ModelArm))]
    sizes = [run_size(name, element) for name in names if name]
    # A prompt is seldom longer than its response may be.
    tokens = 2 * block.decoding.max_tokens
    return max(
        (size.times(models).cards(block.gpu_memory * 2**30, tokens) for size in sizes if size),
        default=1,
    )
