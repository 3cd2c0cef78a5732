"""Killed at any moment, a training goes on to the weights of one that was left alone."""

import random
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from training_runs import (
    exported,
    fail,
    finish,
    losses,
    processes_of,
    saved,
    steps_logged,
    wait_until,
    wait_until_all_are_gone,
)

from limaflow.training.settings import Launch, Training

pytestmark = pytest.mark.slow


def kill_while_saving(
    run: subprocess.Popen[str],
    processes: list[psutil.Process],
    folder: Path,
    moment: random.Random,
) -> None:
    """Kill all `processes` of `run` while a checkpoint is half written."""
    while True:
        wait_until(run, lambda: any(folder.glob("runs/*/checkpoints/.step-*")))
        time.sleep(moment.random() / 200)
        # Held still, they cannot end the save between the look and the kill.
        for process in processes:
            process.suspend()
        if any(folder.glob("runs/*/checkpoints/.step-*")):
            break
        for process in processes:
            process.resume()
    moment.shuffle(processes)
    for process in processes:
        process.kill()
    run.wait()


# At ZeRO-1, bf16 has an optimizer and a layout of checkpoints of its own.
@pytest.mark.parametrize(
    ("zero_stage", "precision"), [(0, "fp32"), (1, "fp32"), (1, "bf16"), (2, "fp32"), (3, "fp32")]
)
def test_killed_and_stopped_runs_end_in_the_same_weights(
    *,
    zero_stage: int,
    precision: str,
    fine_tune: Callable,
    settings: Training,
    launch: Launch,
    tmp_path: Path,
) -> None:
    settings = settings.model_copy(
        update={
            **{"epochs": 8, "residual_dropout": 0.2},
            **{"precision": precision, "gradient_clipping": 1.0},
        }
    )
    launch = launch.model_copy(update={"zero_stage": zero_stage})
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    finish(fine_tune(whole, settings, launch, exports="[8]"))

    often = launch.model_copy(update={"checkpoint_every_steps": 1})
    moment = random.Random(zero_stage)

    def some_steps_later() -> Callable[[], bool]:
        there = steps_logged(broken) + moment.randrange(2, 6)
        return lambda: steps_logged(broken) >= there

    # torchrun alone, or one rank alone.
    run = fine_tune(broken, settings, often, exports="[8]")
    wait_until(run, some_steps_later())
    time.sleep(moment.random() / 10)
    victim = run if zero_stage % 2 == 0 else moment.choice(processes_of(tmp_path)[1:])
    victim.kill()
    fail(run)
    wait_until_all_are_gone(tmp_path)

    # All at once, in the middle of a save.
    run = fine_tune(broken, settings, often, exports="[8]")
    wait_until(run, some_steps_later())
    kill_while_saving(run, processes_of(tmp_path), broken, moment)
    wait_until_all_are_gone(tmp_path)
    assert any(broken.glob("runs/*/checkpoints/.step-*"))
    assert saved(broken)

    # Asked to end: the step is finished and saved.
    run = fine_tune(broken, settings, often, exports="[8]")
    wait_until(run, some_steps_later())
    run.send_signal(signal.SIGTERM)
    assert "run it again to go on" in fail(run)
    wait_until_all_are_gone(tmp_path)
    assert saved(broken)[-1].step == steps_logged(broken)

    resumed = finish(fine_tune(broken, settings, launch, exports="[8]"))
    assert "resuming after step" in resumed
    assert losses(broken) == losses(whole)
    assert exported(broken, 8).read_bytes() == exported(whole, 8).read_bytes()
    # The newest that the launch asks to keep, and nothing else.
    folders = (path for path in broken.glob("runs/*/checkpoints/*") if path.is_dir())
    assert {path.name for path in folders} == {"step-21", "step-24"}
