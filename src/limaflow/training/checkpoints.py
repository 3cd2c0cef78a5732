"""Checkpoints that are complete or invisible.

DeepSpeed's own `save_checkpoint` moves its `latest` mark without waiting for the other ranks, so
that a kill can leave a mark on half a checkpoint. Here all ranks save under a hidden name, rank 0
checks that every file is there, publishes the folder by renaming it, and moves the mark last.
Nothing random is stored: data order and dropout are functions of (seed, step, rank).
"""

import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from limaflow.errors import InputError
from limaflow.jsonl import read_json, replacing, write_json
from limaflow.training.processes import meet, rank, world

STATE = "limaflow"


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """The file checkpoint.json of a published checkpoint."""

    step: int
    """Optimizer steps done."""
    world: int
    zero_stage: int
    bytes: dict[str, int] = field(default_factory=dict)
    """Size of each file."""


def save(engine: Any, folder: Path, step: int, state: dict[str, Any], *, keep: int) -> None:
    """Publish a checkpoint after `step` steps on all ranks together, then prune to `keep`.

    Args:
        state: small plain data that a resumed run needs, the same on all ranks.

    Raises:
        RuntimeError: a rank's file is not there; the checkpoint before this one stays.
        OSError: the disk is full, likewise.
    """
    tag, hidden = f"step-{step}", f".step-{step}"
    if rank() == 0:
        _remove(folder / hidden)
        folder.mkdir(parents=True, exist_ok=True)
    meet()
    # Under one key, since DeepSpeed's own keys come back beside it and may not be given again.
    client_state = {STATE: state}
    engine.save_checkpoint(
        str(folder),
        tag=hidden,
        client_state=client_state,
        save_latest=False,
        # What LoRA freezes is in the base model.
        exclude_frozen_parameters=True,
    )
    meet()
    if rank() == 0:
        _verify_and_describe(folder / hidden, step, engine.zero_optimization_stage())
        _remove(folder / tag)
        (folder / hidden).rename(folder / tag)
        _sync(folder)
        with replacing(folder / "latest") as mark:
            mark.write(tag)
        for old in published(folder)[:-keep]:
            _remove(folder / f"step-{old.step}")
    meet()


def published(folder: Path) -> list[Checkpoint]:
    """The whole checkpoints in `folder`, oldest first; a torn one does not count."""
    found = [
        read_json(file, Checkpoint)
        for file in folder.glob("step-*/checkpoint.json")
        if file.is_file()
    ]
    return sorted((c for c in found if _is_whole(folder, c)), key=lambda c: c.step)


def resume_point(folder: Path, *, limit: int, zero_stage: int) -> int | None:
    """The step of the newest checkpoint that is not past `limit`; later ones are removed.

    Raises:
        InputError: it was written by another number of processes or ZeRO stage.
    """
    for hidden in folder.glob(".step-*"):
        _remove(hidden)
    checkpoints = published(folder)
    for late in (c for c in checkpoints if c.step > limit):
        _remove(folder / f"step-{late.step}")
    fitting = [c for c in checkpoints if c.step <= limit]
    if not fitting:
        return None
    newest = fitting[-1]
    if (newest.world, newest.zero_stage) != (world(), zero_stage):
        raise InputError(
            f"the checkpoint was written by {newest.world} processes at ZeRO stage "
            f"{newest.zero_stage}, and {world()} at stage {zero_stage} cannot go on from it",
            path=folder / f"step-{newest.step}",
            fix="launch it as before, or remove this folder to begin anew",
        )
    return newest.step


def load(engine: Any, folder: Path, step: int) -> dict[str, Any]:
    """Bring `engine` to the state after `step` steps; returns what `save` was given as `state`.

    Raises:
        InputError: the files cannot be loaded.
    """
    # load_checkpoint answers (None, None) where it found nothing, without an error.
    frozen = any(not parameter.requires_grad for parameter in engine.module.parameters())
    path, state = engine.load_checkpoint(
        str(folder), tag=f"step-{step}", load_module_strict=not frozen
    )
    if path is None:
        raise InputError("the checkpoint cannot be loaded", path=folder / f"step-{step}")
    loaded: dict[str, Any] = state[STATE]
    return loaded


def _verify_and_describe(folder: Path, step: int, zero_stage: int) -> None:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    counts = {
        "model states of ZeRO-3": len([f for f in files if _is_part(f, "model_states")]),
        "optimizer states": len([f for f in files if _is_part(f, "optim_states")]),
    }
    expected = {
        "model states of ZeRO-3": world() if zero_stage == 3 else 0,
        "optimizer states": world() if zero_stage else 0,
    }
    if counts != expected or not files or not all(f.stat().st_size for f in files):
        raise RuntimeError(f"{folder}: the checkpoint is not whole: {counts}, expected {expected}")
    for file in files:
        _sync(file)
    write_json(
        folder / "checkpoint.json",
        Checkpoint(
            step=step,
            world=world(),
            zero_stage=zero_stage,
            bytes={str(f.relative_to(folder)): f.stat().st_size for f in files},
        ),
    )
    _sync(folder)


def _is_part(file: Path, kind: str) -> bool:
    return "zero_pp_rank_" in file.name and file.name.endswith(f"{kind}.pt")


def _is_whole(folder: Path, checkpoint: Checkpoint) -> bool:
    parts = folder / f"step-{checkpoint.step}"
    return all(
        (parts / name).is_file() and (parts / name).stat().st_size == size
        for name, size in checkpoint.bytes.items()
    )


def _remove(folder: Path) -> None:
    """Remove a checkpoint; it is invisible before its first file goes."""
    if folder.exists():
        (folder / "checkpoint.json").unlink(missing_ok=True)
        shutil.rmtree(folder)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
