"""One process among those that torchrun started: its place, its end, and what rank 0 says for all.

Only torchrun's environment is relied on (RANK, WORLD_SIZE, LOCAL_RANK, MASTER_*), so that one
machine and several are the same program; a process that torchrun did not start is alone.
"""

import contextlib
import os
import resource
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import timedelta
from typing import Any, NoReturn, TypeVar, cast

import torch
import torch.distributed as dist

from limaflow import lasting_errors
from limaflow.child_processes import end_with
from limaflow.cuda import computing_device
from limaflow.errors import InputError
from limaflow.recording.job import leave_records
from limaflow.training.hardware import require_a_gpu_each

Result = TypeVar("Result")
PATIENCE = timedelta(minutes=10)
"""How long a rank waits for another, unless `join` is given something else."""
ALONE = {
    "RANK": "0",
    "WORLD_SIZE": "1",
    "LOCAL_RANK": "0",
    "MASTER_ADDR": "127.0.0.1",
    "MASTER_PORT": "0",
}
MOMENT = 2.0
"""Seconds within which the ranks of a node find the same thing."""
PULSE = 30
"""Seconds between the signs of life of a rank on which the others wait for long."""


def die_with_parent() -> None:
    """Ask Linux to kill this process when torchrun dies, which otherwise leaves it running."""
    if not _started_by_torchrun():
        return
    torchrun = os.getppid()
    if torchrun == 1:
        sys.exit("error: torchrun has died")
    end_with(torchrun, by=signal.SIGKILL)


def join(patience: timedelta = PATIENCE) -> torch.device:
    """Join the process group and return this rank's device: its own GPU, else the CPU.

    Args:
        patience: how long a rank waits for the others, in gloo's collectives and NCCL's.

    Raises:
        SystemExit: 1, where a rank finds no GPU of its own and there ought to be one; rank 0 has
            said why.
    """
    if not _started_by_torchrun():
        # Such variables of another job would have it wait for ranks that never come.
        os.environ.update(ALONE)
    problem: InputError | None = None
    try:
        device = own_device()
    except InputError as error:
        problem, device = error, torch.device("cpu")
    if device.type == "cuda":
        torch.cuda.set_device(device)
        dist.init_process_group("cpu:gloo,cuda:nccl", timeout=patience)
    else:
        os.environ.setdefault("DS_ACCELERATOR", "cpu")
        dist.init_process_group("gloo", timeout=patience)

    def refuse_if_any() -> None:
        if problem is not None:
            raise problem

    on_all(refuse_if_any)
    return device


def own_device() -> torch.device:
    """The GPU of this rank's number on its node, or the CPU.

    Raises:
        InputError: there are fewer GPUs than ranks, or none where the environment says GPU.
    """
    if computing_device() == "cpu":
        return torch.device("cpu")
    require_a_gpu_each(int(os.environ.get("LOCAL_WORLD_SIZE", "1")), torch.cuda.device_count())
    return torch.device("cuda", int(os.environ["LOCAL_RANK"]))


def be_patient(patience: timedelta) -> None:
    """Give all process groups that there are one time-out; those of DeepSpeed have torch's own."""
    for group in list(dist.distributed_c10d._world.pg_map):
        dist.distributed_c10d._set_pg_timeout(patience, group)


def _started_by_torchrun() -> bool:
    return "TORCHELASTIC_RUN_ID" in os.environ


def rank() -> int:
    return int(os.environ["RANK"])


def world() -> int:
    return int(os.environ["WORLD_SIZE"])


def highest_memory() -> int:
    """Bytes that this process has held at most so far: of its GPU, else resident."""
    if torch.cuda.is_available():
        return torch.cuda.max_memory_reserved()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def meet() -> None:
    """Wait until every rank is here, on the CPU: an accelerator's barrier would want a device."""
    dist.all_reduce(torch.zeros(1))


def from_first(action: Callable[[], Result]) -> Result:
    """What `action` returns on rank 0, given to every rank; its `InputError` ends them all.

    It may take hours: checksums of a large model, the conversion of a checkpoint.
    """
    with ThreadPoolExecutor(max_workers=1) as thread:
        running = thread.submit(action) if rank() == 0 else None
        while _goes_on(running):
            pass
    result = [on_all(running.result) if running else on_all(lambda: None)]
    # On the CPU: a small object must not pass through the accelerator.
    dist.broadcast_object_list(result, src=0, device=torch.device("cpu"))
    shared: Any = result[0]
    return cast(Result, shared)


def _goes_on(running: Future[Result] | None) -> bool:
    """Whether rank 0 is still at work after a pulse; all ranks ask together."""
    if running:
        wait([running], timeout=PULSE)
    busy = torch.tensor([float(running is not None and not running.done())])
    dist.all_reduce(busy)
    return bool(busy.item())


def on_first(weight: torch.Tensor) -> torch.Tensor:
    """A copy on the CPU of rank 0, an empty tensor elsewhere."""
    return weight.to("cpu", copy=True) if rank() == 0 else weight.new_empty(0)


def on_all(action: Callable[[], Result]) -> Result:
    """Run `action` on every rank; an `InputError` on any is printed once and ends them all."""
    problem: str | None = None
    try:
        result = action()
    except InputError as error:
        lasting_errors.note(error)
        problem = str(error)
    problems: list[str | None] = [None] * world()
    dist.all_gather_object(problems, problem, group=dist.group.WORLD)
    first = next((found for found in problems if found is not None), None)
    if first is not None:
        leave(f"error: {first}", 1)
    return result


def leave(message: str, code: int) -> NoReturn:
    """End every rank together; rank 0 says why before torchrun sees the first of them go."""
    if rank() == 0:
        print(message, file=sys.stderr, flush=True)
    meet()
    dist.destroy_process_group()
    sys.exit(code)


def said_once(message: str) -> None:
    """Print what several ranks of a node may find at the same time, by one of them.

    The others come too late for a name that the kernel lets one process hold; it is held for the
    moment in which they may come.
    """
    run = os.environ.get("TORCHELASTIC_RUN_ID"), os.environ.get("MASTER_PORT"), os.getppid()
    held = socket.socket(socket.AF_UNIX)
    try:
        held.bind("\0limaflow-" + "-".join(map(str, run)))
    except OSError:
        return
    print(message, file=sys.stderr, flush=True)
    time.sleep(MOMENT)


@contextlib.contextmanager
def lost_processes_named() -> Iterator[None]:
    """Say in one line that a collective has failed: another rank has died, or time has run out.

    Raises:
        SystemExit: 1, then.
    """
    try:
        yield
    except RuntimeError as error:
        reason = str(error)
        if not isinstance(error, dist.DistError) and "gloo" not in reason:
            raise
        # Behind a place in gloo's source, before advice.
        reason = reason.splitlines()[0].rsplit("] ", 1)[-1].split(". ")[0]
        said_once(
            f"error: process {rank()} waited in vain for another one, which is gone or hangs "
            f"({reason}); the last checkpoint stays, run it "
            "again to go on"
        )
        sys.exit(1)


@contextlib.contextmanager
def ending_at_once() -> Iterator[None]:
    """End the process with the block, without the interpreter's own way out.

    That takes Python down while threads of gloo and DeepSpeed may still let go of tensors: of runs
    that had ended well, one in some fifty was then aborted ("terminate called without an active
    exception"). A command that ends well leaves its records first.
    """
    code = 0
    try:
        yield
    except SystemExit as asked:
        if isinstance(asked.code, str):
            print(asked.code, file=sys.stderr)
        code = asked.code if isinstance(asked.code, int) else int(asked.code is not None)
    if not code:
        leave_records()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
