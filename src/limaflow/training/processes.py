"""One process among those that torchrun started: its place, its end, and what rank 0 says for all.

Only torchrun's environment is relied on (RANK, WORLD_SIZE, LOCAL_RANK, MASTER_*), so that one
machine and several are the same program; a process that torchrun did not start is alone.
"""

import contextlib
import os
import resource
import signal
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import timedelta
from typing import Any, NoReturn, TypeVar, cast

import torch
import torch.distributed as dist

from limaflow import lasting_errors
from limaflow.child_processes import end_with
from limaflow.errors import InputError

Result = TypeVar("Result")
GLOO_PATIENCE = timedelta(minutes=3)
"""How long a rank waits for another; a training that this ended goes on from its checkpoint."""
ALONE = {
    "RANK": "0",
    "WORLD_SIZE": "1",
    "LOCAL_RANK": "0",
    "MASTER_ADDR": "127.0.0.1",
    "MASTER_PORT": "0",
}
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


def join() -> torch.device:
    """Join the process group and return this rank's device: its own GPU, else the CPU."""
    if not _started_by_torchrun():
        # Such variables of another job would have it wait for ranks that never come.
        os.environ.update(ALONE)
    if torch.cuda.is_available():
        device = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
        torch.cuda.set_device(device)
        dist.init_process_group("cpu:gloo,cuda:nccl")
        return device
    os.environ.setdefault("DS_ACCELERATOR", "cpu")
    dist.init_process_group("gloo", timeout=GLOO_PATIENCE)
    return torch.device("cpu")


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


@contextlib.contextmanager
def ending_at_once() -> Iterator[None]:
    """End the process with the block, without the interpreter's own way out.

    That takes Python down while threads of gloo and DeepSpeed may still let go of tensors: of runs
    that had ended well, one in some fifty was then aborted ("terminate called without an active
    exception").
    """
    code = 0
    try:
        yield
    except SystemExit as asked:
        if isinstance(asked.code, str):
            print(asked.code, file=sys.stderr)
        code = asked.code if isinstance(asked.code, int) else int(asked.code is not None)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


class StopRequest:
    """Whether SLURM, a user or torchrun has asked this process to end (SIGTERM or SIGINT)."""

    def __init__(self) -> None:
        self.asked = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._note)

    def _note(self, _number: int, _frame: object) -> None:
        self.asked = True
