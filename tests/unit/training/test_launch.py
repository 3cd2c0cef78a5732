"""How many processes are started where, from what SLURM gave."""

from typing import Any

import pytest

from limaflow.errors import InputError
from limaflow.training.launch import (
    KEPT,
    LaunchPlan,
    launch,
    over_nodes,
    place_among_nodes,
    port_of,
    processes_given,
    torchrun,
    without_scheduler,
)

ASKED = LaunchPlan(nodes=2, processes=8, threads=16)
TASK = {"SLURM_JOB_ID": "4711", "SLURM_NNODES": "2", "SLURM_NODEID": "1"}


def test_a_process_is_started_for_each_gpu_that_slurm_gave() -> None:
    assert processes_given({**TASK, "CUDA_VISIBLE_DEVICES": "0,1,3"}, 8) == 3
    assert processes_given({**TASK, "ROCR_VISIBLE_DEVICES": "2"}, 8) == 1
    assert processes_given({**TASK, "CUDA_VISIBLE_DEVICES": ""}, 8) == 8
    # A workstation's own setting is not SLURM's.
    assert processes_given({"CUDA_VISIBLE_DEVICES": "0"}, 2) == 2


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
