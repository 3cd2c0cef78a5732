"""How many processes are started where, from what SLURM gave."""

import os
from collections.abc import Callable
from typing import Any

import pytest
import torch

from limaflow.errors import InputError
from limaflow.training.launch import (
    KEPT,
    LaunchPlan,
    launch,
    over_nodes,
    place_among_nodes,
    port_of,
    processes_asked,
    processes_here,
    torchrun,
    without_scheduler,
)

ASKED = LaunchPlan(nodes=2, processes=8, threads=16)
TASK = {"SLURM_JOB_ID": "4711", "SLURM_NNODES": "2", "SLURM_NODEID": "1"}


@pytest.fixture
def gpus(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Let CUDA see that many."""

    def seen(number: int) -> None:
        monkeypatch.delenv("DS_ACCELERATOR", raising=False)
        monkeypatch.setattr(torch.cuda, "is_available", lambda: number > 0)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: number)

    return seen


def test_a_process_is_started_for_each_gpu_that_slurm_gave(gpus: Callable) -> None:
    gpus(3)
    assert processes_here({**TASK, "CUDA_VISIBLE_DEVICES": "0,1,3"}, 8) == 3
    # It gave none: a partition without them, or one that does not count them.
    assert processes_here(TASK, 2) == 2
    gpus(1)
    assert processes_here({**TASK, "ROCR_VISIBLE_DEVICES": "2"}, 8) == 1
    # CUDA opens one instance, however many are given.
    assert processes_here({**TASK, "CUDA_VISIBLE_DEVICES": "MIG-4f,MIG-7a"}, 2) == 1
    gpus(0)
    assert processes_here({**TASK, "CUDA_VISIBLE_DEVICES": ""}, 8) == 8


def test_auto_is_a_process_for_each_gpu_and_one_without(gpus: Callable) -> None:
    assert processes_asked("auto") is None
    gpus(4)
    assert processes_here({}, None) == 4
    gpus(0)
    assert processes_here({}, None) == 1


def test_more_processes_than_gpus_are_refused_before_any_starts(
    gpus: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    gpus(2)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "GPU-8f2a,GPU-11c0")
    assert processes_here({}, 2) == 2
    nothing: Any = []
    with pytest.raises(InputError, match=r"8 processes are to be started on .* sees 2 GPU") as no:
        launch(nothing, LaunchPlan(nodes=1, processes=8, threads=8), None)
    assert "CUDA_VISIBLE_DEVICES is GPU-8f2a,GPU-11c0" in str(no.value)
    assert "launch.processes_per_node 2, or auto" in str(no.value)


@pytest.mark.parametrize("text", ["0", "-1", "two", ""])
def test_a_number_of_processes_that_is_none(text: str) -> None:
    with pytest.raises(InputError, match=r"--processes is '.*', and neither a number"):
        processes_asked(text)


def test_one_machine_needs_no_meeting_place() -> None:
    assert " ".join(torchrun(["x"], 2, [])) == (
        "torchrun --standalone --nproc-per-node=2 --no-python x"
    )


def test_several_nodes_meet_at_the_first_on_the_jobs_own_port() -> None:
    command = over_nodes(["x", "-y"], ASKED, ["gpu3", "gpu4"], port_of("4711"))
    assert command[:4] == ["srun", "--nodes=2", "--ntasks=2", "--ntasks-per-node=1"]
    assert "--rendezvous=gpu3:24711" in command
    assert command[-3:] == ["--", "x", "-y"]
    assert place_among_nodes(TASK, "gpu3:24711") == [
        *("--nnodes=2", "--node-rank=1", "--master-addr=gpu3", "--master-port=24711")
    ]


def test_an_outer_steps_variables_do_not_leak() -> None:
    environ = {**TASK, "SLURM_NTASKS": "1", "SRUN_CPUS_PER_TASK": "1", "SLURM_CONF": "/c", "A": "b"}
    assert without_scheduler(environ, KEPT) == {
        "SLURM_JOB_ID": "4711",
        "SLURM_CONF": "/c",
        "A": "b",
    }


def test_several_nodes_without_slurm_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    nothing: Any = []
    with pytest.raises(InputError, match="this is no SLURM job"):
        launch(nothing, ASKED, None)


def test_a_training_takes_its_gpus_before_it_becomes_torchrun(
    gpus: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    gpus(4)
    mine = [f"GPU-{os.getpid()}-{number}" for number in range(4)]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", ",".join(mine))
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    became: list[str] = []
    monkeypatch.setattr(
        "limaflow.training.launch._become",
        lambda command, environ: became.append(environ["CUDA_VISIBLE_DEVICES"]),
    )
    for _ in range(2):
        launch(["true"], LaunchPlan(nodes=1, processes=2, threads=2), None)
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", ",".join(mine))
    assert became == [",".join(mine[:2]), ",".join(mine[2:])]
