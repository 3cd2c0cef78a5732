"""Preference tuning: direct preference optimization (DPO, Rafailov et al. 2023, 2305.18290) by TRL.

The model that it starts from is its reference too, so that the first step's loss is ln 2. TRL gets
tokens that are ready, in the order of the run; its trainer and transformers' save the checkpoints,
and a checkpoint counts once its mark is written. No dropout: a run depends on nothing random.
"""

import contextlib
import csv
import logging
import math
import os
import shutil
import sys
import warnings
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
import yaml
from datasets import Dataset
from torch.utils.data import SequentialSampler
from tqdm import tqdm
from transformers import GenerationConfig, Trainer, TrainerCallback
from transformers.integrations.deepspeed import unset_hf_deepspeed_config
from transformers.trainer_callback import PrinterCallback
from trl import DPOConfig, DPOTrainer

from limaflow.curation.decontamination import Protected
from limaflow.errors import InputError
from limaflow.jsonl import read_json, replacing, write_json
from limaflow.manifests import content_of, read_manifest, sha256_of
from limaflow.records import ModelManifest
from limaflow.seeds import digest, generator_for, seed_for
from limaflow.training.checkpoints import Checkpoint
from limaflow.training.context_length import context_length
from limaflow.training.data import base_tokenizer
from limaflow.training.engine import deepspeed_settings, prepare_deepspeed, pretrained
from limaflow.training.export import export
from limaflow.training.hardware import require_hardware
from limaflow.training.job import full_disk_named
from limaflow.training.manifest import PreferenceNotes
from limaflow.training.preference_pairs import (
    Pairs,
    left_out_in_words,
    sharing,
    tokenized_pairs,
)
from limaflow.training.processes import (
    die_with_parent,
    from_first,
    join,
    leave,
    meet,
    on_all,
    rank,
    world,
)
from limaflow.training.recipe import PREFERENCE_RECIPE
from limaflow.training.run_code import note_code
from limaflow.training.settings import Launch, Preference
from limaflow.training.sole_writer import sole_writer
from limaflow.training.stopping import StopRequest
from limaflow.training.train_anew import set_aside_if_requested

STOPPED = 143
"""Exit code after SIGTERM, as a shell counts it."""
FIRST_LOSS = math.log(2)
FIRST_LOSS_BOUND = 1e-3
EXPORTED = Path("export", "model.json")
"""In a run's folder, of a finished run."""
WHOLE = "limaflow.json"
"""The mark of a whole checkpoint, written last."""
LOGGED = ("loss", "rewards/accuracies", "rewards/margins", "grad_norm", "learning_rate")


@dataclass(frozen=True, kw_only=True)
class PreferenceJob:
    """What `limaflow train prefer` was asked to do."""

    arm: str
    start: Path
    """Manifest of the model that it starts from."""
    pairs: Path
    settings: Preference
    launch: Launch
    seed: int
    run_folder: Path
    output: Path
    protected: Protected | None = None
    """Prompts and benchmark items that no pair may share; None: they are not looked for."""


@dataclass(frozen=True, kw_only=True)
class Start:
    """The model that a run starts from, but for its weights."""

    location: str
    revision: str | None
    tokenizer: Any
    generation: Any
    """Its generation config, whose stops end each response."""


def prefer(job: PreferenceJob) -> None:
    """Tune `job.start` on `job.pairs` as one rank of a torchrun group, and write its manifest.

    Killed at any moment, the same command goes on from the last whole checkpoint and ends in the
    same weights. On SIGTERM it finishes the step, saves and exits with 143. A finished run is
    recognised by what its weights depend on.

    Raises:
        InputError: pairs, model or launch that cannot work.
        SystemExit: 1 where the first loss is not ln 2, or a loss no number; 143 after SIGTERM.
    """
    die_with_parent()
    join(job.launch.patience)
    with contextlib.ExitStack() as held:

        def claim() -> tuple[str, bool, dict[str, tuple[int, ...]]]:
            _check(job)
            barred = sharing(job.pairs, job.protected.index()) if job.protected else {}
            identity = identity_of(job, barred)
            held.enter_context(sole_writer(job.run_folder / identity))
            if aside := set_aside_if_requested(job.run_folder / identity):
                tqdm.write(
                    f"{job.arm}: trained anew; what was there is in {aside}", file=sys.stderr
                )
            folder = job.run_folder / identity
            finished = (folder / EXPORTED).is_file()
            if not finished and (changed := note_code(folder, "prefer")):
                tqdm.write(
                    f"{job.arm}: goes on with code that has changed: {', '.join(changed)}",
                    file=sys.stderr,
                )
            return identity, finished, barred

        identity, finished, barred = from_first(claim)
        folder = job.run_folder / identity
        exported = folder / EXPORTED
        if not finished:
            with full_disk_named(folder):
                _run(job, identity, folder, exported, barred)
        if rank() == 0:
            _write_manifest(job, exported)
        meet()
    dist.destroy_process_group()


def identity_of(job: PreferenceJob, barred: Mapping[str, tuple[int, ...]]) -> str:
    """Hash of all that the weights depend on; the launch changes rounding only.

    Args:
        barred: the pairs that share text with a protected one; of these only which they are counts.

    Raises:
        InputError: a file cannot be read.
    """
    return digest(
        content_of(job.start),
        sha256_of(job.pairs),
        job.settings.determining(),
        job.seed,
        PREFERENCE_RECIPE,
        *([sorted(line for lines in barred.values() for line in lines)] if barred else []),
    )


def order_of(pairs: int, epochs: int, batch: int, seed: int) -> list[int]:
    """The pairs in the order of the run: `epochs` seeded orders, as many as fill whole batches."""
    order: list[int] = []
    for epoch in range(1, epochs + 1):
        of_epoch = list(range(pairs))
        generator_for(seed, "preference order", epoch).shuffle(of_epoch)
        order += of_epoch
    return order[: len(order) // batch * batch]


def micro_batch(settings: Preference, launch: Launch, processes: int) -> int:
    """Pairs of a micro-batch: the largest number up to the launch's that divides a rank's share."""
    share = settings.batch_examples // processes
    return max(n for n in range(1, launch.micro_batch_examples + 1) if share % n == 0)


def _check(job: PreferenceJob) -> None:
    require_hardware(job.settings, job.launch)
    if job.settings.batch_examples % world():
        raise InputError(
            f"preference.batch_examples {job.settings.batch_examples} cannot be shared evenly by "
            f"{world()} processes"
        )
    if job.settings.precision == "bf16" and job.launch.zero_stage == 0:
        raise InputError(
            "ZeRO stage 0 in bf16 takes an optimizer step of its own when it starts",
            fix="launch.zero_stage 1 to 3, or preference.precision fp32",
        )


def _run(
    job: PreferenceJob,
    identity: str,
    folder: Path,
    exported: Path,
    barred: Mapping[str, tuple[int, ...]],
) -> None:
    start = on_all(lambda: _start(job.start))
    pairs = from_first(lambda: _pairs(job, start, barred))
    settings = job.settings
    order = order_of(len(pairs.tokens), settings.epochs, settings.batch_examples, job.seed)
    unseen = len(pairs.tokens) * settings.epochs - len(order)
    if rank() == 0:
        lines = [
            f"{job.arm}: {len(pairs.tokens)} of {pairs.rows} pairs, {settings.epochs} epochs",
            *(f"left out: {line}" for line in left_out_in_words(pairs.left_out)),
            *(
                f"launch.{key} is of no effect on preference tuning"
                for key in ("liger", "compile")
                if getattr(job.launch, key)
            ),
            *([f"the last {unseen} pairs of the last epoch fill no batch"] if unseen else []),
        ]
        tqdm.write("\n".join(lines), file=sys.stderr)
    trainer = on_all(lambda: _trainer(job, start, pairs, order, folder))
    checkpoint = from_first(lambda: newest_checkpoint(folder / "checkpoints", job.launch))
    if checkpoint is not None and rank() == 0:
        tqdm.write(f"{job.arm}: resuming from {checkpoint.name}", file=sys.stderr)
    trainer.train(resume_from_checkpoint=None if checkpoint is None else str(checkpoint))
    steps = len(order) // settings.batch_examples
    if trainer.state.global_step < steps:
        leave(
            f"stopped after step {trainer.state.global_step} of {steps}; run it again to go on",
            STOPPED,
        )
    # While it is set, transformers divides over the ranks whatever is loaded, the export too.
    forget: Any = unset_hf_deepspeed_config
    forget()
    history = [row for row in trainer.state.log_history if "loss" in row]
    if rank() == 0:
        _write_log(folder / "log.csv", history)
    notes = PreferenceNotes(
        identity=identity,
        start=read_manifest(job.start)[0].model,
        settings=settings.model_dump(mode="json"),
        pairs=len(pairs.tokens),
        left_out={reason: len(lines) for reason, lines in pairs.left_out.items()},
        unseen=unseen,
        last_loss=history[-1]["loss"],
    )
    export(
        trainer.model_wrapped,
        start.tokenizer,
        exported,
        name=job.arm,
        notes=asdict(notes),
        card=lambda: _card(job, notes),
        examples=[[*pair.prompt, *pair.chosen] for pair in pairs.tokens[:2]],
        generation=start.generation,
    )


def _start(manifest: Path) -> Start:
    found, location = read_manifest(manifest)
    tokenizer = base_tokenizer(manifest)
    if tokenizer.chat_template is None or tokenizer.pad_token_id is None:
        raise InputError(
            "preference tuning starts from a model with a chat template and a pad token",
            path=manifest,
            fix="name an arm of kind tuned under `from`",
        )
    config: Any = GenerationConfig
    try:
        generation = config.from_pretrained(location, revision=found.revision)
    except OSError:
        generation = config(eos_token_id=tokenizer.eos_token_id)
    return Start(
        location=location, revision=found.revision, tokenizer=tokenizer, generation=generation
    )


def _pairs(job: PreferenceJob, start: Start, barred: Mapping[str, tuple[int, ...]]) -> Pairs:
    stops = start.generation.eos_token_id
    found = tokenized_pairs(
        job.pairs,
        start.tokenizer,
        frozenset(stops if isinstance(stops, list) else [stops]),
        max_tokens=job.settings.max_tokens,
        max_left_out=job.settings.max_left_out_share,
        barred=barred,
    )
    if len(found.tokens) * job.settings.epochs < job.settings.batch_examples:
        raise InputError(
            f"{len(found.tokens)} pairs fill no batch of {job.settings.batch_examples} in "
            f"{job.settings.epochs} epochs",
            path=job.pairs,
            fix="lower preference.batch_examples",
        )
    return found


def _trainer(
    job: PreferenceJob, start: Start, pairs: Pairs, order: list[int], folder: Path
) -> "ReadyPairsTrainer":
    settings, launch = job.settings, job.launch
    prepare_deepspeed()
    # Names that transformers and TRL give each other; nothing that a user could mend.
    warnings.filterwarnings("ignore", category=FutureWarning, module="transformers")
    logging.getLogger("accelerate").setLevel(logging.ERROR)
    steps = len(order) // settings.batch_examples
    micro = micro_batch(settings, launch, world())
    micro_steps = settings.batch_examples // (world() * micro)
    arguments = DPOConfig(
        output_dir=str(folder / "checkpoints"),
        beta=settings.beta,
        loss_type=["sigmoid"],
        disable_dropout=True,
        max_length=None,
        per_device_train_batch_size=micro,
        gradient_accumulation_steps=micro_steps,
        max_steps=steps,
        learning_rate=settings.learning_rate,
        lr_scheduler_type="linear",
        warmup_steps=math.ceil(settings.warmup_share * steps),
        adam_beta1=settings.betas[0],
        adam_beta2=settings.betas[1],
        weight_decay=settings.weight_decay,
        max_grad_norm=settings.gradient_clipping,
        bf16=settings.precision == "bf16",
        fp16=False,
        gradient_checkpointing=launch.gradient_checkpointing,
        gradient_checkpointing_kwargs={"use_reentrant": False},
        deepspeed={
            **deepspeed_settings(settings, launch, micro_steps),
            "train_micro_batch_size_per_gpu": micro,
        },
        logging_steps=1,
        logging_nan_inf_filter=False,
        save_steps=launch.checkpoint_every_steps or math.ceil(steps / settings.epochs),
        seed=seed_for(job.seed, "preference") % 2**32,
        report_to="none",
        disable_tqdm=True,
        use_cpu=not torch.cuda.is_available(),
    )
    # After the arguments, by which transformers divides weights over the ranks at ZeRO-3.
    models = [
        pretrained(job.start, settings, launch)
        # A frozen model under adapters is its own reference.
        for _ in range(1 if settings.lora else 2)
    ]
    context = context_length(models[0].config)
    if context < settings.max_tokens:
        raise InputError(
            f"preference.max_tokens {settings.max_tokens} exceeds the model's context of {context}"
        )
    rows = [asdict(pairs.tokens[place]) for place in order]
    bar = tqdm(total=steps, desc=job.arm, unit="step", disable=rank() != 0)
    trainer = ReadyPairsTrainer(
        model=models[0],
        ref_model=None if settings.lora else models[1],
        args=arguments,
        train_dataset=Dataset.from_list([{f"{k}_ids": v for k, v in row.items()} for row in rows]),
        processing_class=start.tokenizer,
        peft_config=_adapter(settings),
        callbacks=[Watch(steps, bar, launch.stop_patience_seconds)],
    )
    trainer.launch = launch
    trainer.remove_callback(PrinterCallback)
    return trainer


def _adapter(settings: Preference) -> Any:
    from peft import LoraConfig

    if settings.lora is None:
        return None
    return LoraConfig(
        r=settings.lora.rank,
        lora_alpha=settings.lora.alpha,
        target_modules=settings.lora.target_modules,
        task_type="CAUSAL_LM",
    )


class ReadyPairsTrainer(DPOTrainer):  # type: ignore[misc]
    """TRL's trainer on tokens that are ready, in their order, with marked checkpoints."""

    launch: Launch

    def _prepare_dataset(self, dataset: Any, *_: Any) -> Any:
        """TRL's own would tokenize texts, and pass pairs over that are too long."""
        return dataset

    def _get_train_sampler(self, dataset: Any = None) -> Any:
        return SequentialSampler(dataset or self.train_dataset)

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        # The export follows the last step; a run that resumed behind it would take one more.
        if self.state.global_step >= self.state.max_steps:
            return
        folder = Path(self.args.output_dir) / f"checkpoint-{self.state.global_step}"
        # TRL's own would write a model card into each.
        Trainer._save_checkpoint(self, model, trial)
        meet()
        if rank() == 0:
            _mark_whole(folder, self.state.global_step, self.launch.zero_stage)
            # Here and not by transformers, which would do it before the mark is written.
            for old in _whole(folder.parent)[: -self.launch.keep_checkpoints]:
                _remove(old)
        meet()


class Watch(TrainerCallback):
    """Shows progress, checks each loss, and saves and stops where any rank is asked to stop."""

    def __init__(self, steps: int, bar: Any, patience: float) -> None:
        self.steps, self.bar, self.stop = steps, bar, StopRequest(patience)
        self.step = contextlib.ExitStack()

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.bar.update(state.global_step)

    def on_step_begin(self, *_: Any, **__: Any) -> None:
        self.step.enter_context(self.stop.step())

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.step.close()
        asked = torch.tensor(float(self.stop.asked))
        dist.all_reduce(asked)
        if asked and state.global_step < self.steps:
            control.should_save = control.should_training_stop = True

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
        if logs is None or "loss" not in logs:
            return
        step, loss = state.global_step, logs["loss"]
        for name in ("loss", "grad_norm"):
            if not math.isfinite(logs[name]):
                leave(f"error: {name} is {logs[name]} at step {step}; checkpoints stay", 1)
        if step == 1 and not abs(loss - FIRST_LOSS) <= FIRST_LOSS_BOUND:
            leave(
                f"error: the first step's loss is {loss:.4f}, not ln 2 = {FIRST_LOSS:.4f}: "
                "the model and its reference differ, or dropout is on",
                1,
            )
        self.bar.set_postfix(loss=f"{loss:.3f}", refresh=False)
        self.bar.update()

    def on_train_end(self, *_: Any, **__: Any) -> None:
        self.bar.close()


def newest_checkpoint(folder: Path, launch: Launch) -> Path | None:
    """The newest whole checkpoint; what a kill has left half made goes.

    Raises:
        InputError: it was written by another number of processes or at another ZeRO stage.
    """
    whole = _whole(folder)
    for path in set(folder.glob("checkpoint-*")) - set(whole):
        _remove(path)
    if not whole:
        return None
    newest = whole[-1]
    mark = read_json(newest / WHOLE, Checkpoint)
    saved = mark.world, mark.zero_stage
    if saved != (world(), launch.zero_stage):
        raise InputError(
            f"the checkpoint was saved by {saved[0]} processes at ZeRO stage {saved[1]}, and "
            f"{world()} at stage {launch.zero_stage} cannot go on from it",
            path=newest,
            fix="launch as before, or remove the folder of checkpoints to begin anew",
        )
    return newest


def _mark_whole(folder: Path, step: int, zero_stage: int) -> None:
    sizes = {}
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        with file.open("rb") as opened:
            os.fsync(opened.fileno())
        sizes[str(file.relative_to(folder))] = file.stat().st_size
    mark = Checkpoint(step=step, world=world(), zero_stage=zero_stage, bytes=sizes)
    write_json(folder / WHOLE, mark)


def _whole(folder: Path) -> list[Path]:
    """The whole checkpoints in `folder`, oldest first."""
    marks = {file.parent: read_json(file, Checkpoint) for file in folder.glob(f"*/{WHOLE}")}
    return sorted(
        (path for path, mark in marks.items() if _has_all(path, mark)),
        key=lambda path: marks[path].step,
    )


def _remove(folder: Path) -> None:
    """Remove a checkpoint; it counts no more before its first file goes."""
    (folder / WHOLE).unlink(missing_ok=True)
    shutil.rmtree(folder)


def _has_all(folder: Path, mark: Checkpoint) -> bool:
    return all(
        (folder / name).is_file() and (folder / name).stat().st_size == size
        for name, size in mark.bytes.items()
    )


def _write_log(path: Path, history: list[dict[str, Any]]) -> None:
    with replacing(path) as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["step", *LOGGED])
        rows.writerows([row["step"], *(row[name] for name in LOGGED)] for row in history)


def _write_manifest(job: PreferenceJob, exported: Path) -> None:
    manifest = read_json(exported, ModelManifest)
    folder = os.path.relpath(read_manifest(exported)[1], job.output.resolve().parent)
    write_json(
        job.output,
        ModelManifest(model=job.arm, path=folder, sha256=manifest.sha256, notes=manifest.notes),
    )


def _card(job: PreferenceJob, notes: PreferenceNotes) -> str:
    settings = yaml.safe_dump(job.settings.model_dump(mode="json"), sort_keys=False)
    return (
        f"# {job.arm}\n\n`{notes.start}` after direct preference optimization (DPO, Rafailov et "
        f"al. 2023, arXiv 2305.18290) on {notes.pairs:,} pairs of responses, made by limaflow "
        "with TRL. The model that it starts from was the reference.\n\n"
        f"Pairs: SHA-256 {sha256_of(job.pairs)}. Run: {notes.identity}, seed {job.seed}.\n\n"
        f"```yaml\n{settings}```\n"
    )
