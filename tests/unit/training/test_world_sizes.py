"""A training goes on with another number of processes, to the same weights but for rounding."""

import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from safetensors.torch import load_file
from training_runs import exported, fail, finish, saved, steps_logged, wait_until

from limaflow.training.settings import Launch, Training

pytestmark = pytest.mark.slow
TOLERANCES = {"fp32": 1e-5, "bf16": 0.15}
"""Relative error of each weight; 2e-6 and 0.07 were measured."""
STAGES = {"fp32": (0, 2, 3), "bf16": (1, 2, 3)}
STOPPED = 143


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_run_goes_on_with_fewer_and_with_more_processes(
    *, precision: str, fine_tune: Callable, settings: Training, launch: Launch, tmp_path: Path
) -> None:
    # Norms are a group of their own, since DeepSpeed mixes the groups up when it converts.
    changes = {"epochs": 6, "decay_norms_and_biases": False, "precision": precision}
    settings = settings.model_copy(update=changes)
    alone = {"processes_per_node": 1}
    plain = launch.model_copy(update={**alone, "zero_stage": STAGES[precision][0]})
    finish(fine_tune(tmp_path / "plain", settings, plain, exports="[6]"))
    expected = load_file(exported(tmp_path / "plain", 6))

    for stage in STAGES[precision]:
        folder = tmp_path / str(stage)
        two = launch.model_copy(update={"zero_stage": stage})
        one = two.model_copy(update=alone)
        outputs = []
        for world, changed, steps in ((2, two, 3), (1, one, 8)):
            run = fine_tune(folder, settings, changed, exports="[6]")
            wait_until(run, lambda f=folder, s=steps: steps_logged(f) >= s)
            run.send_signal(signal.SIGTERM)
            outputs.append(fail(run))
            assert (saved(folder)[-1].step, saved(folder)[-1].world) == (
                steps_logged(folder),
                world,
            )
        assert run.returncode == STOPPED
        outputs.append(finish(fine_tune(folder, settings, two, exports="[6]")))
        for output, before in zip(outputs[1:], (2, 1), strict=True):
            assert f"saved with world size {before}" in output
        found = load_file(exported(folder, 6))
        for name, weight in expected.items():
            error = (found[name].float() - weight.float()).norm() / weight.float().norm()
            assert error < TOLERANCES[precision], (stage, name, float(error))
        assert not any(folder.glob("runs/*/checkpoints/.*"))
