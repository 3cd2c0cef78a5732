"""Start the processes of a training: one for each GPU, here or on every node that SLURM gave.

The command becomes one torchrun on this machine. In a SLURM job of several nodes it first starts
itself once on each of them, by srun, and each becomes the torchrun of its node. What was asked for
stands in the profile; what is counted here is what the job really got.
"""

import os
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

from limaflow.cards import take_cards
from limaflow.cuda import computing_device
from limaflow.errors import InputError
from limaflow.scheduler import hosts_of
from limaflow.training.hardware import require_a_gpu_each

KEPT = {"SLURM_JOB_ID", "SLURM_CONF", "SLURM_CLUSTER_NAME"}
GIVEN = ("CUDA_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES")
"""Where SLURM writes the GPUs that it gave."""
FOREIGN = ("SLURM_", "SRUN_", "SBATCH_", "SALLOC_", "PMI_", "PMIX_")
SHUTDOWN_SECONDS = "600"
"""What torchrun grants its processes to save after SIGTERM; its own 30 s are too few for 65B."""


@dataclass(frozen=True, kw_only=True)
class LaunchPlan:
    """What the configuration says, for where no scheduler knows better."""

    nodes: int
    processes: int | None
    """On each node; None is one for each GPU."""
    threads: int
    """CPUs on each node."""


def launch(command: Sequence[str], plan: LaunchPlan, rendezvous: str | None) -> NoReturn:
    """Become torchrun, or the srun that starts one on each node.

    Args:
        rendezvous: `host:port` where the nodes meet, in a task that srun has started.

    Raises:
        InputError: several nodes are asked for and this is no SLURM job, or there are fewer GPUs
            here than processes.
    """
    environ, job = os.environ, os.environ.get("SLURM_JOB_ID")
    if rendezvous is None and plan.nodes > 1:
        if job is None:
            raise InputError(
                f"launch.nodes is {plan.nodes}, and this is no SLURM job",
                fix="run under profiles/slurm, or set launch.nodes to 1",
            )
        hosts = hosts_of(job)
        if len(hosts) > 1:
            _become(
                over_nodes(command, plan, hosts, port_of(job)), without_scheduler(environ, KEPT)
            )
    processes = processes_here(environ, plan.processes)
    if computing_device() == "cuda":
        # Torchrun, which this process becomes, keeps them.
        take_cards(processes)
    print(f"{processes} process(es) on {os.uname().nodename}", file=sys.stderr, flush=True)
    place = [] if rendezvous is None else place_among_nodes(environ, rendezvous)
    _become(
        torchrun(command, processes, place),
        {
            **without_scheduler(environ, KEPT),
            "OMP_NUM_THREADS": str(max(1, plan.threads // processes)),
            "TORCH_ELASTIC_SHUTDOWN_TIMEOUT": environ.get(
                "TORCH_ELASTIC_SHUTDOWN_TIMEOUT", SHUTDOWN_SECONDS
            ),
        },
    )


def over_nodes(
    command: Sequence[str], plan: LaunchPlan, hosts: Sequence[str], port: int
) -> list[str]:
    """The srun that starts `limaflow train launch` once on each node, with all GPUs of the job."""
    return [
        *("srun", f"--nodes={len(hosts)}", f"--ntasks={len(hosts)}", "--ntasks-per-node=1"),
        # SLURM 22.05 and later hand a step one CPU unless it is told.
        *(f"--cpus-per-task={plan.threads}", "--kill-on-bad-exit=1"),
        *("limaflow", "train", "launch", f"--rendezvous={hosts[0]}:{port}"),
        *(f"--nodes={len(hosts)}", f"--processes={plan.processes or 'auto'}"),
        *(f"--threads={plan.threads}", "--", *command),
    ]


def torchrun(command: Sequence[str], processes: int, place: Sequence[str]) -> list[str]:
    """`place` is empty on a single machine."""
    return [
        *("torchrun", *(place or ["--standalone"]), f"--nproc-per-node={processes}"),
        *("--no-python", *command),
    ]


def place_among_nodes(environ: Mapping[str, str], rendezvous: str) -> list[str]:
    """Which node this is, as SLURM tells the task that it started; they meet at the first."""
    host, port = rendezvous.rsplit(":", 1)
    return [
        *(f"--nnodes={environ['SLURM_NNODES']}", f"--node-rank={environ['SLURM_NODEID']}"),
        *(f"--master-addr={host}", f"--master-port={port}"),
    ]


def processes_here(environ: Mapping[str, str], configured: int | None) -> int:
    """One for each GPU where SLURM gave some, or nothing is configured; else as configured.

    CUDA counts the GPUs, and knows the rules of CUDA_VISIBLE_DEVICES: numbers, UUIDs, names up to
    the first that is none, and one MIG instance only.

    Raises:
        InputError: there are fewer GPUs than processes, or none where the environment says GPU.
    """
    if computing_device() == "cpu":
        return configured or 1
    import torch

    gpus = torch.cuda.device_count()
    by_slurm = "SLURM_JOB_ID" in environ and any(environ.get(name) for name in GIVEN)
    if by_slurm or configured is None:
        return gpus
    require_a_gpu_each(configured, gpus)
    return configured


def processes_asked(text: str) -> int | None:
    """`--processes`: a number, or auto, which is None.

    Raises:
        InputError: it is neither.
    """
    if text == "auto":
        return None
    if not text.isdecimal() or not int(text):
        raise InputError(f"--processes is '{text}', and neither a number from 1 on nor auto")
    return int(text)


def port_of(job: str) -> int:
    """A port of the job's own, below those that Linux gives out by itself (from 32768 on)."""
    return 20000 + int(job) % 10000


def without_scheduler(environ: Mapping[str, str], kept: set[str]) -> dict[str, str]:
    """An outer job step's variables would decide the size and place of an inner one."""
    return {
        name: value
        for name, value in environ.items()
        if name in kept or not name.startswith(FOREIGN)
    }


def _become(command: Sequence[str], environ: Mapping[str, str]) -> NoReturn:
    # The rule's shell ignores SIGTERM, and what it starts would inherit that.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.execvpe(command[0], list(command), dict(environ))
