"""Checkpoints that are complete or invisible.

DeepSpeed's own `save_checkpoint` moves its `latest` mark without waiting for the other ranks, so
that a kill can leave a mark on half a checkpoint. Here all ranks save under a hidden name, rank 0
checks that every file is there, publishes the folder by renaming it, and moves the mark last.
Nothing random is stored: data order and dropout are functions of (seed, step, rank).
"""

import contextlib
import io
import os
import shutil
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from limaflow.errors import InputError
from limaflow.jsonl import read_json, replacing, write_json
from limaflow.training import universal
from limaflow.training.processes import from_first, meet, on_all, rank, world

STATE = "limaflow"
UNIVERSAL = ".universal"
BYTES_PER_WEIGHT = 12
"""The least that a checkpoint holds: weight and both moments of AdamW in fp32."""


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """The file checkpoint.json of a published checkpoint."""

    step: int
    """Optimizer steps done."""
    world: int
    zero_stage: int
    bytes: dict[str, int] = field(default_factory=dict)
    """Size of each file."""

    @property
    def name(self) -> str:
        return f"step-{self.step}"

    @property
    def is_split_otherwise(self) -> bool:
        """Whether it must be converted before this number of processes can load it."""
        return self.zero_stage > 0 and self.world != world()


def save(engine: Any, folder: Path, step: int, state: dict[str, Any], *, keep: int) -> None:
    """Publish a checkpoint after `step` steps on all ranks together, then prune to `keep`.

    Args:
        state: small plain data that a resumed run needs, the same on all ranks.

    Raises:
        InputError: there is no room for it, or a file cannot be written.
        RuntimeError: a rank's file is not there. In all cases the checkpoint before this one stays.
    """
    tag, hidden = f"step-{step}", f".step-{step}"

    def begin() -> None:
        _remove(folder / hidden)
        require_room(engine, folder)

    def write() -> None:
        with _failures_noted(engine) as failures:
            # Under one key, since DeepSpeed's own keys come back beside it and may not be given
            # again.
            engine.save_checkpoint(
                str(folder),
                tag=hidden,
                client_state={STATE: state},
                save_latest=False,
                # What LoRA freezes is in the base model.
                exclude_frozen_parameters=True,
            )
        if failures:
            raise InputError(
                f"the checkpoint after step {step} cannot be written: {failures[0]}; it needs "
                f"about {_gigabytes(_expected_bytes(engine, folder))}, and "
                f"{_gigabytes(shutil.disk_usage(folder).free)} are free",
                path=folder,
                fix="make room and run again; the checkpoint before it is whole",
                may_pass=True,
            )

    def publish() -> None:
        _verify_and_describe(folder / hidden, step, engine.zero_optimization_stage())
        _remove(folder / tag)
        (folder / hidden).rename(folder / tag)
        _sync(folder)
        with replacing(folder / "latest") as mark:
            mark.write(tag)
        for old in published(folder)[:-keep]:
            _remove(folder / old.name)

    from_first(begin)
    on_all(write)
    from_first(publish)


def require_room(engine: Any, folder: Path) -> None:
    """Make sure that the disk of `folder` can take one more checkpoint.

    Raises:
        InputError: it cannot; names what is needed and what is free.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _require_room(folder, _expected_bytes(engine, folder))


def published(folder: Path) -> list[Checkpoint]:
    """The whole checkpoints in `folder`, oldest first; a torn one does not count."""
    found = [
        read_json(file, Checkpoint)
        for file in folder.glob("step-*/checkpoint.json")
        if file.is_file()
    ]
    return sorted((c for c in found if _is_whole(folder, c)), key=lambda c: c.step)


def resume_point(folder: Path, *, limit: int, zero_stage: int) -> Checkpoint | None:
    """The newest checkpoint that is not past `limit`, which this launch can `load`.

    One of another number of processes is converted, and itself stays as it is. What a kill has left
    half made or half removed goes, and so do checkpoints past `limit`.

    Raises:
        InputError: it was written at another ZeRO stage, or cannot be converted.
    """
    fitting = [checkpoint for checkpoint in published(folder) if checkpoint.step <= limit]
    _sweep(folder, keep={checkpoint.name for checkpoint in fitting})
    if not fitting:
        return None
    newest = fitting[-1]
    if newest.zero_stage != zero_stage:
        raise InputError(
            f"the checkpoint was saved at ZeRO stage {newest.zero_stage}, and stage {zero_stage} "
            "cannot go on from it",
            path=folder / newest.name,
            fix=f"launch.zero_stage {newest.zero_stage}, or remove this folder to begin anew",
        )
    if newest.is_split_otherwise:
        # The parts of every weight and the weights put together lie beside each other for a while.
        _require_room(folder, 2 * sum(newest.bytes.values()))
        require_undamaged(folder, newest, part=0, parts=1)
        universal.convert(folder / newest.name, folder / UNIVERSAL / newest.name)
    return newest


def require_undamaged(folder: Path, checkpoint: Checkpoint, *, part: int, parts: int) -> None:
    """Read every `parts`-th file of a checkpoint, from `part` on, against its own checksums.

    PyTorch writes a CRC-32 beside each tensor and does not look at it when it loads.

    Raises:
        InputError: a file is not what was written.
    """
    for name in sorted(checkpoint.bytes)[part::parts]:
        file = folder / checkpoint.name / name
        if not zipfile.is_zipfile(file):
            if file.suffix == ".pt":
                raise _unreadable(folder, checkpoint, f"{name} is damaged")
            continue
        try:
            with zipfile.ZipFile(file) as archive:
                damaged = archive.testzip()
        except (zipfile.BadZipFile, OSError) as error:
            raise _unreadable(folder, checkpoint, f"{name}: {error}") from None
        if damaged is not None:
            raise _unreadable(folder, checkpoint, f"{name} is damaged, in its part {damaged}")


def load(engine: Any, folder: Path, checkpoint: Checkpoint) -> dict[str, Any]:
    """Bring `engine` to the state of `checkpoint`, on all ranks together.

    Args:
        engine: started for the universal format where the checkpoint `is_split_otherwise`.

    Returns:
        What `save` was given as `state`.

    Raises:
        InputError: there is nothing to be loaded.
        SystemExit: 1, where a file is damaged; torchrun ends the other ranks.
    """
    split = checkpoint.is_split_otherwise
    frozen = any(not parameter.requires_grad for parameter in engine.module.parameters())
    place = folder / UNIVERSAL if split else folder
    with universal.mended(engine) if split else contextlib.nullcontext():
        try:
            # The optimizer of ZeRO-1 in bf16 prints which of its functions runs.
            with contextlib.redirect_stdout(io.StringIO()):
                path, state = engine.load_checkpoint(
                    str(place), tag=checkpoint.name, load_module_strict=not frozen
                )
        # Damaged files fail in many ways, and may be one rank's alone: it ends without waiting for
        # the others, which are waiting for it.
        except Exception as error:
            sys.exit(f"error: {_unreadable(folder, checkpoint, str(error))}")
    # So it answers where it found nothing, without an error.
    if path is None:
        raise _unreadable(folder, checkpoint, "nothing was found in it")
    meet()
    if rank() == 0:
        _remove(folder / UNIVERSAL)
    loaded: dict[str, Any] = state[STATE]
    return loaded


def _unreadable(folder: Path, checkpoint: Checkpoint, reason: str) -> InputError:
    return InputError(
        f"the checkpoint cannot be loaded: {reason}",
        path=folder / checkpoint.name,
        fix="remove this folder to go on from the checkpoint before it",
    )


@contextlib.contextmanager
def _failures_noted(engine: Any) -> Iterator[list[str]]:
    """Collect what goes wrong when `engine` writes a file.

    A rank that left DeepSpeed's save by an exception would leave the others waiting in it.
    """
    failures: list[str] = []
    writer = engine.checkpoint_engine
    write = writer.save

    def noting(state_dict: dict[str, Any], path: str) -> None:
        try:
            write(state_dict, path)
        except (OSError, RuntimeError) as error:
            failures.append(f"{Path(path).name}: {str(error).splitlines()[0]}")
            # Room for the small files that DeepSpeed writes after it.
            Path(path).unlink(missing_ok=True)

    writer.save = noting
    try:
        yield failures
    finally:
        writer.save = write


def _expected_bytes(engine: Any, folder: Path) -> int:
    """The size of the newest checkpoint, else the least that the first can have."""
    before = published(folder)
    if before:
        return sum(before[-1].bytes.values())
    trained = (p for p in engine.module.parameters() if p.requires_grad)
    # ZeRO-3 leaves a parameter empty and keeps its size beside it.
    weights: int = sum(getattr(p, "ds_numel", p.numel()) for p in trained)
    return BYTES_PER_WEIGHT * weights


def _require_room(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise InputError(
            f"no room for a checkpoint: it needs about {_gigabytes(needed)}, and "
            f"{_gigabytes(free)} are free",
            path=folder,
            fix="make room and run again; what is saved stays",
        )


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:.3g} GB"


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
    parts = folder / checkpoint.name
    return all(
        (parts / name).is_file() and (parts / name).stat().st_size == size
        for name, size in checkpoint.bytes.items()
    )


def _sweep(folder: Path, keep: set[str]) -> None:
    for path in (*folder.glob("step-*"), *folder.glob(".step-*"), folder / UNIVERSAL):
        if path.name not in keep:
            _remove(path)


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
