"""A run of training, ready for its first step or its next: checked data, model, engine."""

import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tqdm import tqdm

from limaflow.errors import InputError
from limaflow.training.attention import fallback
from limaflow.training.chat_template import own_template
from limaflow.training.checkpoints import Checkpoint
from limaflow.training.conversation import shown, take_template
from limaflow.training.data import (
    Data,
    base_tokenizer,
    dialogue_tokenizer,
    loses_template,
    notices,
    prepared,
)
from limaflow.training.engine import load_model, release, start_engine
from limaflow.training.job import Job, checkpoints_of
from limaflow.training.layout import micro_steps, padding_if_padded, steps_an_epoch
from limaflow.training.logits import chooses_positions
from limaflow.training.packing import Separation, separation
from limaflow.training.processes import be_patient, from_first, on_all, rank, world
from limaflow.training.schedule import unfinished_warm_up
from limaflow.training.stopping import StopRequest


@dataclass(frozen=True, kw_only=True)
class Run:
    """What stays the same from the first step to the last."""

    job: Job
    identity: str
    folder: Path
    data: Data
    tokenizer: Any
    loses_template: bool
    """Whether another takes the place of a chat template of the base model."""
    engine: Any
    stop: StopRequest

    @property
    def steps_an_epoch(self) -> int:
        return steps_an_epoch(len(self.data.train), self.job.settings)

    @property
    def steps(self) -> int:
        return self.steps_an_epoch * self.job.settings.epochs

    @property
    def checkpoints(self) -> Path:
        return checkpoints_of(self.folder)


def checked_data(job: Job) -> Data:
    """The examples as tokens, checked by rank 0.

    Raises:
        InputError: data that cannot be trained on.
    """

    def read() -> Data:
        tokenizer, _ = dialogue_tokenizer(job.base, job.settings.chat_template)
        return prepared(job.data, job.dev, tokenizer, job.settings)

    return from_first(read)


def prepared_run(
    job: Job, identity: str, folder: Path, data: Data, start: Checkpoint | None
) -> Run:
    """Show what is trained, and load the model, ready to go on from `start`.

    Raises:
        InputError: the model does not fit the recipe, or cannot pack examples and must.
    """
    tokenizer = base_tokenizer(job.base)
    own = own_template(tokenizer)
    new_tokens = take_template(tokenizer, job.settings.chat_template)
    template_is_lost = loses_template(own, tokenizer)
    lengths = [len(example.tokens) for example in data.train]
    waste = padding_if_padded(lengths, job.settings, job.launch, world=world(), seed=job.seed)
    run = Run(
        job=job,
        identity=identity,
        folder=folder,
        data=replace(data, facts=replace(data.facts, padding_if_padded=round(waste, 4))),
        tokenizer=tokenizer,
        loses_template=template_is_lost,
        engine=None,
        stop=StopRequest(job.launch.stop_patience_seconds),
    )
    if rank() == 0:
        lines = [
            shown(data.train[0], tokenizer),
            *notices(
                data.facts,
                tokenizer,
                job.settings.chat_template,
                loses_template=template_is_lost,
            ),
            *unfinished_warm_up(job.settings, run.steps),
            *fallback(job.settings, job.launch),
        ]
        tqdm.write("\n".join(lines), file=sys.stderr)
    started = _with_engine(run, new_tokens, start)
    if job.launch.packed_tokens is None:
        return started
    apart = separation(
        started.engine, data.train, job.settings.max_tokens, job.launch.packed_tokens
    )
    if from_first(lambda: _may_pack(job, apart)):
        return started
    padded = job.launch.model_copy(update={"micro_batch_tokens": None})
    # The engine divides by its number of micro-batches, so padding wants another one.
    release(started.engine)
    del started
    return _with_engine(replace(run, job=replace(job, launch=padded)), new_tokens, start)


def _may_pack(job: Job, apart: Separation) -> bool:
    """Whether examples may be packed.

    Raises:
        InputError: they must be, and the model does not keep them apart.
    """
    if apart.holds:
        return True
    why = (
        "this model does not keep packed examples apart: behind another example, an example's "
        f"logits differ by {apart.difference:.1g} of their spread (rounding: {apart.bound:.1g})"
    )
    if job.launch.micro_batch_tokens != "auto":
        raise InputError(why, fix="launch.micro_batch_tokens: auto or null, which pads")
    tqdm.write(f"{job.arm}: {why}; they are padded instead", file=sys.stderr)
    return False


def _with_engine(run: Run, new_tokens: list[int], start: Checkpoint | None) -> Run:
    """The run with its model in an engine, laid out as its launch says."""
    job = run.job
    model = on_all(
        lambda: load_model(
            job.base, run.tokenizer, new_tokens, job.settings, job.launch, seed=job.seed
        )
    )
    lengths = [len(example.tokens) for example in run.data.train]
    engine = start_engine(
        model,
        job.settings,
        job.launch,
        micro_steps(lengths, job.settings, job.launch, world=world(), seed=job.seed),
        universal=start is not None and start.is_split_otherwise,
    )
    be_patient(job.launch.patience)
    if rank() == 0 and not chooses_positions(engine.module):
        tqdm.write(
            f"{job.arm}: this architecture computes logits of untrained positions too, which cost "
            "time and memory",
            file=sys.stderr,
        )
    return replace(run, engine=engine)
