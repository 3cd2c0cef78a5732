"""One training job: what is asked, what identifies it, and the folder that it alone may write.

A run's folder is named by everything that its weights and its perplexities depend on. What has the
same name can be resumed, and nothing else can.
"""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from limaflow.errors import NO_ROOM, InputError
from limaflow.jsonl import read_json, read_records, write_json
from limaflow.manifests import content_of
from limaflow.records import Example
from limaflow.seeds import digest
from limaflow.training.hardware import require_hardware
from limaflow.training.manifest import DataFacts, EpochResult, TrainedEpoch, TrainingManifest
from limaflow.training.recipe import RECIPE
from limaflow.training.settings import Launch, Training


@dataclass(frozen=True, kw_only=True)
class Job:
    """What `limaflow train run` was asked to do."""

    arm: str
    base: Path
    data: Path
    dev: Path
    settings: Training
    launch: Launch
    export_epochs: tuple[int, ...]
    seed: int
    run_folder: Path
    output: Path


@dataclass(frozen=True, kw_only=True)
class Finished:
    """The file run.json: written when the last step is done."""

    identity: str
    epochs: tuple[EpochResult, ...]
    facts: DataFacts


def check(job: Job) -> None:
    """Refuse what cannot work before anything is loaded.

    Raises:
        InputError: an epoch to export lies after the last, stage 0 is asked to train in bf16, or
            something is asked for that this machine does not have.
    """
    late = [epoch for epoch in job.export_epochs if not 1 <= epoch <= job.settings.epochs]
    if late:
        raise InputError(f"--export-epochs {late} lie outside the {job.settings.epochs} epochs")
    if job.settings.precision == "bf16" and job.launch.zero_stage == 0:
        raise InputError(
            "ZeRO stage 0 in bf16 takes an optimizer step of its own when it starts",
            fix="launch.zero_stage 1 to 3, or training.precision fp32",
        )
    require_hardware(job.settings, job.launch)


def identity_of(job: Job) -> str:
    """Hash of all that weights and perplexities depend on; the launch changes rounding only.

    Of an example only its id and its turns count, not where it comes from; of the code only the
    recipe's version.

    Raises:
        InputError: the data cannot be read.
    """
    return digest(
        content_of(job.base),
        _read_by_training(job.data),
        _read_by_training(job.dev),
        job.settings.determining(),
        job.seed,
        RECIPE,
    )


def _read_by_training(path: Path) -> str:
    rows = (
        [example.id, [[message.role, message.content] for message in example.messages]]
        for example in read_records(path, Example)
    )
    return digest(*rows)


def export_manifest(folder: Path, epoch: int) -> Path:
    """The model.json of one epoch's export in a run's folder."""
    return folder / "exports" / f"epoch-{epoch}" / "model.json"


def checkpoints_of(folder: Path) -> Path:
    """Where the checkpoints of a run's folder lie."""
    return folder / "checkpoints"


def missing_exports(job: Job, folder: Path) -> list[int]:
    return [e for e in sorted(job.export_epochs) if not export_manifest(folder, e).is_file()]


def is_finished(job: Job, folder: Path) -> bool:
    return (folder / "run.json").is_file() and not missing_exports(job, folder)


def write_training(job: Job, folder: Path) -> None:
    """Write training.json from a finished run; a `model` of null marks an epoch not exported."""
    finished = read_json(folder / "run.json", Finished)
    epochs = []
    for epoch in finished.epochs:
        manifest = export_manifest(folder, epoch.epoch)
        model = _relative(manifest, job.output) if manifest.is_file() else None
        epochs.append(TrainedEpoch(**asdict(epoch), model=model))
    write_json(
        job.output,
        TrainingManifest(
            arm=job.arm,
            identity=finished.identity,
            epochs=tuple(epochs),
            log=_relative(folder / "log.csv", job.output),
            **asdict(finished.facts),
        ),
    )


@contextlib.contextmanager
def full_disk_named(folder: Path) -> Iterator[None]:
    """Name the run's folder where its disk is full; messages of the system seldom do.

    Raises:
        InputError: the disk has filled up.
    """
    try:
        yield
    except Exception as error:
        # Not by its type: safetensors has one of its own.
        if not any(os.strerror(code) in str(error) for code in NO_ROOM):
            raise
        raise InputError(
            f"the disk has filled up ({error})",
            path=folder,
            fix="make room and run again",
            may_pass=True,
        ) from None


def _relative(path: Path, beside: Path) -> str:
    return os.path.relpath(path.resolve(), beside.resolve().parent)
