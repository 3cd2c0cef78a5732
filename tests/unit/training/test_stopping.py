"""A training that cannot finish its step ends soon all the same, and says so once."""

import signal
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
PATIENCE = 2.0
MARGIN = 15.0
"""Seconds that a busy machine may take on top."""
KILLED_AFTER = 30.0
"""Seconds that torchrun waits for the other processes when one has failed."""


def ranks_of(test: Path) -> list[psutil.Process]:
    """By their number."""
    found = [(p.environ().get("RANK"), p) for p in processes_of(test)]
    return [p for number, p in sorted(found, key=lambda f: f[0] or "") if number is not None]


def test_a_rank_that_waits_for_a_lost_one_ends_when_asked(
    torchrun: Callable, tmp_path: Path
) -> None:
    run = torchrun(2, Path(__file__).with_name("hanging_program.py"), PATIENCE)
    assert run.stdout.readline().strip() == "step done"
    time.sleep(1)
    asked = time.monotonic()
    run.send_signal(signal.SIGTERM)
    output = fail(run)
    assert time.monotonic() - asked < PATIENCE + MARGIN
    assert output.count("error: ") == 1, output
    assert "was asked to end and hangs in a step since" in output
    wait_until_all_are_gone(tmp_path)


@pytest.mark.parametrize("victim", [0, 1])
def test_a_rank_that_is_killed_ends_the_run_in_one_message_and_costs_no_result(
    *, victim: int, fine_tune: Callable, settings: Training, launch: Launch, tmp_path: Path
) -> None:
    settings = settings.model_copy(update={"epochs": 4, "residual_dropout": 0.2})
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    finish(fine_tune(whole, settings, launch, exports="[4]"))

    run = fine_tune(broken, settings, launch, exports="[4]")
    wait_until(run, lambda: steps_logged(broken) >= 5)
    ranks_of(tmp_path)[victim].kill()
    killed = time.monotonic()
    output = fail(run)
    assert time.monotonic() - killed < MARGIN
    assert output.count("error: ") == 1, output
    assert f"process {1 - victim} waited in vain for another one" in output
    assert "[rank" not in output
    wait_until_all_are_gone(tmp_path)
    assert saved(broken)[-1].step == 3

    assert "resuming after step" in finish(fine_tune(broken, settings, launch, exports="[4]"))
    assert losses(broken) == losses(whole)
    assert exported(broken, 4).read_bytes() == exported(whole, 4).read_bytes()


def test_a_rank_that_hangs_is_waited_for_as_long_as_configured(torchrun: Callable) -> None:
    started = time.monotonic()
    output = fail(torchrun(2, Path(__file__).with_name("silent_program.py"), PATIENCE))
    # DeepSpeed's groups are made like this one, with a time-out of torch's own: 30 minutes.
    assert "error: process 0 waited in vain for another one" in output
    assert "Timed out waiting 2000ms" in output
    assert time.monotonic() - started < KILLED_AFTER + MARGIN
