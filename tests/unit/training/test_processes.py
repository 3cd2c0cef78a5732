"""A process's place among those that torchrun started."""

import os
import subprocess
import sys
from collections.abc import Callable

from training_runs import fail

ANOTHER_JOBS = {
    "RANK": "3",
    "WORLD_SIZE": "9",
    "LOCAL_RANK": "3",
    "MASTER_ADDR": "nowhere.invalid",
    "MASTER_PORT": "1",
}


def test_a_process_that_torchrun_did_not_start_waits_for_nobody() -> None:
    program = (
        "from limaflow.training.processes import ending_at_once, join, meet, rank, world\n"
        "with ending_at_once(): join(); meet(); print(rank(), world())"
    )
    environ = {name: v for name, v in os.environ.items() if not name.startswith("TORCHELASTIC_")}
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**environ, **ANOTHER_JOBS},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout == "0 1\n", done.stderr


def test_ranks_without_a_gpu_of_their_own_are_refused_in_one_message(torchrun: Callable) -> None:
    program = (
        "import torch\n"
        "torch.cuda.is_available = lambda: True\n"
        "torch.cuda.device_count = lambda: 1\n"
        "from limaflow.training.processes import ending_at_once, join\n"
        "with ending_at_once(): join()"
    )
    output = fail(torchrun(3, "--no-python", sys.executable, "-c", program))
    assert output.count("error: ") == 1, output
    assert "error: 3 processes are to be started on" in output
    assert "CUDA sees 1 GPU(s) there" in output
    assert "set_device" not in output
