"""A GPU whose memory is too small: what the planner says of it, in place of a traceback."""

import contextlib
import json
import shlex
import subprocess
import sys
from collections.abc import Iterator

import torch

from limaflow.training.job import Job
from limaflow.training.processes import rank, said_once

GIB = 2**30
PLANNING_SECONDS = 300


@contextlib.contextmanager
def out_of_memory_named(job: Job) -> Iterator[None]:
    """Say once what `limaflow train plan` says of this training where a GPU's memory is too small.

    Raises:
        SystemExit: 1, then; torchrun ends the other ranks.
    """
    try:
        yield
    except torch.OutOfMemoryError as error:
        reason = ". ".join(str(error).split(". ")[:2])
        # What it holds must be let go before anything else is done.
        torch.cuda.empty_cache()
        said_once(
            f"error: process {rank()} has run out of GPU memory ({reason}); {_advice(job)}; what "
            "is saved stays, and another launch goes on from it at the same zero_stage"
        )
        sys.exit(1)


def _advice(job: Job) -> str:
    """What the planner says, with the command that says it."""
    command = ["limaflow", "train", "plan", "--base", str(job.base), "--data", str(job.data)]
    command += ["--settings", job.settings.flag(), "--launch", job.launch.flag()]
    if torch.cuda.is_available():
        whole = torch.cuda.get_device_properties(torch.cuda.current_device()).total_memory
        command += ["--gpu-memory", f"{whole / GIB:.0f}"]
    try:
        done = subprocess.run(
            [*command, "--json"],
            capture_output=True,
            text=True,
            timeout=PLANNING_SECONDS,
            check=True,
        )
        made = json.loads(done.stdout)
        peak, fitting = made["gpu_peak"] / GIB, made["fitting"]
    # Advice only: the training has ended of something else.
    except (OSError, subprocess.SubprocessError, ValueError, KeyError):
        return f"see what it needs: {shlex.join(command)}"
    changed = {
        k: v for k, v in (fitting or {}).items() if v != json.loads(job.launch.flag()).get(k)
    }
    would = f", and launch {json.dumps(changed)} would fit" if changed else ""
    return f"`limaflow train plan` says {peak:.1f} GiB{would}: {shlex.join(command)}"
