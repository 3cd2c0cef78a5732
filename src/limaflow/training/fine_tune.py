"""Fine-tuning on conversations with DeepSpeed: the paper's recipe (LIMA, section 3).

Read `train` from top to bottom; each part it calls is a small module beside this one.
"""

import contextlib
import math
import sys
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from pydantic import TypeAdapter
from tqdm import tqdm

from limaflow.jsonl import write_json
from limaflow.training import checkpoints
from limaflow.training.batches import steps_of_epoch
from limaflow.training.chat_template import end_token
from limaflow.training.data import Data
from limaflow.training.dev_perplexity import perplexity
from limaflow.training.engine import update
from limaflow.training.export import export
from limaflow.training.gradient import accumulate
from limaflow.training.job import (
    Finished,
    Job,
    check,
    checkpoints_of,
    export_manifest,
    full_disk_named,
    identity_of,
    is_finished,
    missing_exports,
    write_training,
)
from limaflow.training.layout import steps_an_epoch
from limaflow.training.log import StepLog, StepRow
from limaflow.training.manifest import EpochResult
from limaflow.training.model_card import model_card
from limaflow.training.out_of_memory import out_of_memory_named
from limaflow.training.processes import (
    die_with_parent,
    from_first,
    highest_memory,
    join,
    leave,
    lost_processes_named,
    meet,
    on_all,
    rank,
    world,
)
from limaflow.training.run import Run, checked_data, prepared_run
from limaflow.training.run_code import note_code
from limaflow.training.schedule import learning_rate
from limaflow.training.sole_writer import sole_writer
from limaflow.training.train_anew import set_aside_if_requested

STOPPED = 143
"""Exit code after SIGTERM, as a shell counts it."""


def train(job: Job) -> None:
    """Fine-tune `job.base` on `job.data` as one rank of a torchrun group, and export epochs.

    Features:
        - All weights or LoRA; ZeRO 0 to 3, offload, fp32 or bf16, gradient checkpointing, any
          number of ranks and micro-batches, padded or packed, with the same mathematics: a step's
          gradient is that of the plain mean over its examples.
        - Killed at any moment, the same command goes on from the last whole checkpoint and ends
          in the same weights, dropout and data order included.
        - On SIGTERM it finishes the step, saves and exits with 143.
        - A finished run is recognised by what its weights depend on; only training.json is written,
          unless it was asked for anew.

    Args:
        job: what to train on what, by which recipe, launched how.

    Raises:
        InputError: data, base model or launch that cannot work; said before any step is taken.
        SystemExit: 1 with the same messages on the other ranks, or where the loss is not a number;
            143 after SIGTERM.
    """
    die_with_parent()
    join(job.launch.patience)
    with contextlib.ExitStack() as held:
        held.enter_context(lost_processes_named())

        def claim() -> tuple[str, bool]:
            check(job)
            identity = identity_of(job)
            folder = job.run_folder / identity
            held.enter_context(sole_writer(folder))
            if aside := set_aside_if_requested(folder):
                tqdm.write(
                    f"{job.arm}: trained anew; what was there is in {aside}", file=sys.stderr
                )
            finished = is_finished(job, folder)
            if not finished and (changed := note_code(folder)):
                tqdm.write(
                    f"{job.arm}: goes on with code that has changed: {', '.join(changed)}",
                    file=sys.stderr,
                )
            return identity, finished

        identity, finished = from_first(claim)
        folder = job.run_folder / identity
        if not finished:
            with full_disk_named(folder), out_of_memory_named(job):
                _run(job, identity, folder)
        if rank() == 0:
            write_training(job, folder)
        meet()
    dist.destroy_process_group()


@dataclass(frozen=True, kw_only=True)
class Progress:
    """What a checkpoint holds of the run besides the engine's state."""

    epochs: tuple[EpochResult, ...] = ()
    losses: tuple[float, ...] = ()
    """Of the steps of the epoch under way."""


def _run(job: Job, identity: str, folder: Path) -> None:
    data = checked_data(job)
    start = from_first(lambda: _resume_point(job, folder, data))
    run = prepared_run(job, identity, folder, data, start)
    done = 0
    progress = Progress()
    if start is not None:
        done = start.step
        if rank() == 0:
            tqdm.write(
                f"{job.arm}: resuming after step {done} of {run.steps}, "
                f"saved with world size {start.world}",
                file=sys.stderr,
            )
        on_all(
            lambda: checkpoints.require_undamaged(
                run.checkpoints, start, part=rank(), parts=world()
            )
        )
        saved = on_all(lambda: checkpoints.load(run.engine, run.checkpoints, start))
        progress = TypeAdapter(Progress).validate_python(saved)
        if done % run.steps_an_epoch == 0:
            _export(run, done // run.steps_an_epoch)
    from_first(lambda: checkpoints.require_room(run.engine, run.checkpoints))
    log = StepLog(folder / "log.csv", done) if rank() == 0 else None
    # Closed by an error too, which then stands on a line of its own.
    with tqdm(total=run.steps, initial=done, desc=job.arm, unit="step", disable=rank() != 0) as bar:
        progress = _take_steps(run, done, progress, log, bar)
    if log is not None:
        log.close()
        write_json(
            folder / "run.json",
            Finished(identity=identity, epochs=progress.epochs, facts=run.data.facts),
        )


def _take_steps(run: Run, done: int, progress: Progress, log: StepLog | None, bar: Any) -> Progress:
    """All steps that are left, with the checkpoints and exports on the way.

    Args:
        log, bar: of rank 0, which shows how far the run has come.
    """
    launch = run.job.launch
    for step in range(done, run.steps):
        with run.stop.step():
            row, stopping = _step(run, step)
        progress = replace(progress, losses=(*progress.losses, row.loss))
        if log is not None:
            log.add(row)
        bar.set_postfix(epoch=row.epoch, loss=f"{row.loss:.3f}", refresh=False)
        bar.update()

        epoch_ended = (step + 1) % run.steps_an_epoch == 0
        if epoch_ended:
            epoch = EpochResult(
                epoch=row.epoch,
                train_loss=math.fsum(progress.losses) / run.steps_an_epoch,
                dev_perplexity=perplexity(
                    run.engine,
                    run.data.dev,
                    micro_batch=launch.micro_batch_examples,
                    pad=run.tokenizer.pad_token_id,
                ),
            )
            _stop_unless_finite(
                epoch.dev_perplexity or 1.0, "perplexity on dev", f"after epoch {row.epoch}"
            )
            progress = Progress(epochs=(*progress.epochs, epoch))
            if log is not None:
                log.add_epoch(step + 1, epoch.dev_perplexity)
        every = launch.checkpoint_every_steps
        if epoch_ended or stopping or (every and (step + 1) % every == 0):
            checkpoints.save(
                run.engine,
                run.checkpoints,
                step + 1,
                asdict(progress),
                keep=launch.keep_checkpoints,
            )
        if epoch_ended:
            _export(run, row.epoch)
        if stopping and step + 1 < run.steps:
            leave(f"stopped after step {step + 1} of {run.steps}; run it again to go on", STOPPED)
    return progress


def _resume_point(job: Job, folder: Path, data: Data) -> checkpoints.Checkpoint | None:
    """Not past an epoch whose export is missing: that one can only be made on the way."""
    first = min(missing_exports(job, folder), default=job.settings.epochs)
    return checkpoints.resume_point(
        checkpoints_of(folder),
        limit=first * steps_an_epoch(len(data.train), job.settings),
        zero_stage=job.launch.zero_stage,
    )


def _export(run: Run, epoch: int) -> None:
    if epoch not in run.job.export_epochs:
        return
    export(
        run.engine,
        run.tokenizer,
        export_manifest(run.folder, epoch),
        name=f"{run.job.arm}@epoch-{epoch}",
        notes={"identity": run.identity, "training": run.job.settings.model_dump(mode="json")},
        card=lambda: model_card(
            run.job,
            epoch=epoch,
            identity=run.identity,
            end=run.tokenizer.convert_ids_to_tokens(end_token(run.tokenizer)),
            loses_template=run.loses_template,
        ),
        examples=[example.tokens for example in run.data.train[:2]],
    )


def _step(run: Run, step: int) -> tuple[StepRow, bool]:
    """One optimizer step, on all ranks together; also whether any of them is asked to stop."""
    started = time.perf_counter()
    settings, engine = run.job.settings, run.engine
    epoch, place = divmod(step, run.steps_an_epoch)
    order = steps_of_epoch(
        len(run.data.train), settings.batch_examples, seed=run.job.seed, epoch=epoch + 1
    )
    examples = [run.data.train[index] for index in order[place]]
    loss, computed = accumulate(
        engine,
        examples,
        loss_mean=settings.loss_mean,
        pad=run.tokenizer.pad_token_id,
        capacity=run.job.launch.packed_tokens,
        seed=run.job.seed,
        step=step,
    )

    totals = torch.tensor([loss, computed, run.stop.asked], dtype=torch.float64)
    dist.all_reduce(totals)
    loss, computed, stopping = totals.tolist()
    where = f"at step {step + 1}, on examples {', '.join(example.id for example in examples)}"
    _stop_unless_finite(loss, "loss", where)
    rate = learning_rate(settings, step, run.steps)
    norm = update(engine, rate)
    # DeepSpeed skips such an update without a word.
    _stop_unless_finite(norm, "gradient's norm", where)
    tokens = sum(len(example.tokens) for example in examples)
    row = StepRow(
        step=step + 1,
        epoch=epoch + 1,
        loss=loss,
        learning_rate=rate,
        gradient_norm=norm,
        tokens_per_second=round(tokens / (time.perf_counter() - started), 1),
        memory=round(highest_memory() / 2**30, 3),
        trained_token_share=round(sum(e.trained for e in examples) / tokens, 4),
        padding_share=round(1 - tokens / computed, 4),
    )
    return row, bool(stopping)


def _stop_unless_finite(value: float, name: str, where: str) -> None:
    """Nothing of this step is saved, so that the last checkpoint is from before it."""
    if not math.isfinite(value):
        leave(f"error: the {name} is {value} {where}; what was saved before it stays", 1)
