"""A checkpoint put together from the parts of its processes, for any other number to load."""

import argparse
import contextlib
import copy
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from limaflow.errors import InputError


def convert(checkpoint: Path, output: Path) -> None:
    """Write a ZeRO `checkpoint` in DeepSpeed's universal format as the folder `output`.

    In this one process: workers that DeepSpeed starts would outlive a kill.

    Raises:
        InputError: DeepSpeed cannot convert it.
    """
    from deepspeed.checkpoint import ds_to_universal

    output.mkdir(parents=True)
    options = argparse.Namespace(
        input_folder=str(checkpoint),
        output_folder=str(output),
        num_extract_workers=1,
        num_merge_workers=1,
        keep_temp_folder=False,
        strict=True,
        # Stages 1 and 2 leave out a note that only models of Megatron need.
        inject_missing_state=True,
    )
    silence = io.StringIO()
    try:
        with contextlib.redirect_stdout(silence), contextlib.redirect_stderr(silence):
            ds_to_universal.main(options)
    except Exception as error:
        raise InputError(
            f"DeepSpeed cannot convert it for another number of processes: {error}",
            path=checkpoint,
            fix="launch it with as many processes as before",
        ) from error


@contextlib.contextmanager
def mended(engine: Any) -> Iterator[None]:
    """While `engine` loads the universal format: mend what DeepSpeed 0.19 gets wrong at ZeRO-3.

    It gives every parameter group the settings of the first (weight decay for norms that have
    none), and one tensor to all of them as their count of steps, which then counts each several
    times.
    """
    groups = engine.optimizer.param_groups
    settings = [{k: v for k, v in group.items() if k != "params"} for group in groups]
    yield
    for group, own in zip(groups, settings, strict=True):
        group.update(own)
    for parameter, state in engine.optimizer.optimizer.state.items():
        # A tensor, or on the CPU's own AdamW a number; a fused AdamW wants it beside its weights.
        step = copy.deepcopy(state["step"])
        state["step"] = step.to(parameter.device) if isinstance(step, torch.Tensor) else step
