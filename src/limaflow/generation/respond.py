"""Responses of a model of ours to a file of prompts, one record each, resumed after a kill."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from tqdm import tqdm

from limaflow import fingerprint
from limaflow.cuda import computing_device
from limaflow.errors import InputError
from limaflow.generation import local, served
from limaflow.generation.kept_responses import (
    KeptResponses,
    beside,
    check_lengths,
    cut_share,
)
from limaflow.generation.prompting import (
    IN_CHAT,
    WITH_SHOTS,
    ChooseShots,
    Format,
    Prompt,
    encoded,
)
from limaflow.generation.prompts import read_prompts, with_prefill
from limaflow.generation.served import Answered
from limaflow.generation.settings import Decoding
from limaflow.generation.shots import drawn_shots
from limaflow.jsonl import write_records
from limaflow.manifests import content_of, read_manifest, sha256_of
from limaflow.records import Example, Response, prefill_of
from limaflow.seeds import digest
from limaflow.training.control_tokens import counted, counts_in_words
from limaflow.training.end_of_turn import asked_stops
from limaflow.training.manifest import epoch_model_name, model_of_epoch


@dataclass(frozen=True, kw_only=True)
class ResponseJob:
    """What `limaflow generate respond` was asked to do with one model."""

    model: Path
    name: str
    style: Format
    examples: Path | None
    shots: int
    choose: ChooseShots = "seed"
    given: tuple[str, ...] = ()
    """Ids of the shots, where the user names them."""
    prompts: Path
    decoding: Decoding
    samples: int
    seed: int
    batch: int
    precision: Literal["fp32", "bf16"]
    engine: Literal["transformers", "vllm"]
    vllm: str
    """The executable, in an environment of its own."""
    gpus: int = 1
    """Cards that the model is spread over, where there are any."""
    fit_before: Path | None = None
    """The prompts before which the shots must fit; None: those that are answered."""
    max_length_share: float
    output: Path


def respond(job: ResponseJob) -> tuple[int, float]:
    """Write the responses and return their number and the share cut off by length.

    What is kept beside the output stays: the same model asked the same again answers nothing anew,
    such as where another instrument chose the same epoch.

    Raises:
        InputError: model or prompts that cannot be used, or too many responses cut off.
    """
    responses = _responses(job, beside(job.output, _identity(job)))
    write_records(job.output, responses)
    return len(responses), cut_share(responses)


def respond_with_epochs(job: ResponseJob, epochs: Sequence[int]) -> tuple[int, float]:
    """Answer with the model of each epoch of a training in turn, and write all into one file.

    The responses of an epoch stay in `.epochs/<arm>/` beside the output, so that another epoch, or
    a kill, repeats no other.

    Args:
        job: its model is the training.json, and its name the arm's; the records name the model
            `<arm>@epoch-<number>`.

    Returns:
        The number of responses and the share cut off by length.

    Raises:
        InputError: an epoch that was not exported, a model or prompts that cannot be used, or too
            many responses of an epoch cut off.
    """
    models = {epoch: model_of_epoch(job.model, epoch) for epoch in sorted(set(epochs))}
    folder = job.output.parent / ".epochs" / job.output.stem
    responses: list[Response] = []
    for epoch, model in models.items():
        one = replace(job, model=model, name=epoch_model_name(job.name, epoch))
        responses += _responses(one, folder / f"{_identity(one)}.jsonl")
    write_records(job.output, responses)
    return len(responses), cut_share(responses)


def _responses(job: ResponseJob, keep: Path) -> list[Response]:
    """All responses of one model by prompt and sample; those that are kept are not made again."""
    prompts = read_prompts(job.prompts)
    kept = KeptResponses(keep)
    wanted = {(p.id, sample) for p in prompts for sample in range(job.samples)}
    todo = wanted - kept.done.keys()
    if todo:
        _answer(job, prompts, todo, kept)
    responses = kept.sorted(wanted)
    check_lengths(responses, job.max_length_share, job.output)
    return responses


def _identity(job: ResponseJob) -> str:
    """All that a response depends on; the batch does not count, nor does the number of samples."""
    return digest(
        content_of(job.model),
        job.name,
        job.style,
        _shots_facts(job),
        sha256_of(job.prompts),
        _decoding_facts(job),
        fingerprint.of("limaflow.generation.cli", "respond"),
    )


def _shots_facts(job: ResponseJob) -> object:
    if job.examples is None:
        return None
    facts: list[object] = [sha256_of(job.examples), job.shots, job.choose, job.given]
    return [*facts, sha256_of(job.fit_before)] if job.fit_before else facts


def _decoding_facts(job: ResponseJob) -> dict[str, Any]:
    """What a record says of how its response came about."""
    ours = job.engine == "transformers"
    return {
        **job.decoding.model_dump(mode="json", exclude={"samples"}),
        "engine": job.engine,
        "format": job.style,
        "penalized": "response" if ours else "prompt and response",
        "precision": job.precision,
        "seed": job.seed,
        # On a GPU the shape of a batch chooses kernels, and so how sums are rounded.
        "reproducible": ours and job.precision == "fp32" and computing_device() == "cpu",
    }


def _answer(
    job: ResponseJob, examples: Sequence[Example], todo: set[tuple[str, int]], kept: KeptResponses
) -> None:
    total, facts = len(todo) + len(kept.done), _decoding_facts(job)
    prefills = {example.id: prefill_of(example) for example in examples}
    engine = _by_vllm if job.engine == "vllm" else _by_transformers
    with tqdm(total=total, initial=len(kept.done), desc=job.name, unit="response") as bar:
        for answered in engine(job, examples, todo):
            kept.add(
                Response(
                    prompt_id=answered.prompt_id,
                    model=job.name,
                    sample=answered.sample,
                    text=answered.text,
                    tokens=answered.tokens,
                    finish_reason=answered.finish_reason,
                    decoding=with_prefill(facts, prefills[answered.prompt_id]),
                )
            )
            bar.update()


def _by_transformers(
    job: ResponseJob, examples: Sequence[Example], todo: set[tuple[str, int]]
) -> Iterator[Answered]:
    manifest, location = read_manifest(job.model)
    model = local.load(location, manifest.revision, job.precision, gpus=job.gpus)
    prompts = _missing_prompts(job, examples, todo, model.tokenizer, model.context)
    model = replace(
        model, stops=asked_stops(model.stops, model.tokenizer, in_chat=job.style in IN_CHAT)
    )
    for row in local.respond(
        model,
        prompts,
        decoding=job.decoding,
        style=job.style,
        batch=job.batch,
        seed=job.seed,
    ):
        assert row.finish_reason is not None
        yield Answered(
            prompt_id=row.prompt.id,
            sample=row.sample,
            text=row.text,
            tokens=len(row.tokens),
            finish_reason=row.finish_reason,
        )


def _by_vllm(
    job: ResponseJob, examples: Sequence[Example], todo: set[tuple[str, int]]
) -> Iterator[Answered]:
    manifest, location = read_manifest(job.model)
    model = served.load(location, manifest.revision)
    wanted = _missing_prompts(job, examples, todo, model.tokenizer, model.context)
    model = replace(
        model, stops=asked_stops(model.stops, model.tokenizer, in_chat=job.style in IN_CHAT)
    )
    longest = max((len(prompt.tokens) for prompt, _ in wanted), default=0)
    with served.serving(
        job.vllm,
        location,
        manifest.revision,
        job.precision,
        gpus=job.gpus,
        longest=min(longest + job.decoding.max_tokens, model.context),
    ) as client:
        yield from served.respond(
            client,
            model,
            wanted,
            decoding=job.decoding,
            style=job.style,
            batch=job.batch,
            seed=job.seed,
        )


def _missing_prompts(
    job: ResponseJob,
    examples: Sequence[Example],
    todo: set[tuple[str, int]],
    tokenizer: Any,
    context: int,
) -> list[tuple[Prompt, int]]:
    """The prompts as the model reads them, once for each response that is missing."""
    shots = shots_of(job, tokenizer, context)
    prompts = encoded(examples, tokenizer, job.style, shots=shots, context=context)
    if mentions := counted(prompt.control_strings for prompt in prompts):
        tqdm.write(
            f"{job.name}: control tokens that the {len(prompts)} prompts mention, split like any "
            f"other text: {counts_in_words(mentions)}",
            file=sys.stderr,
        )
    return [(p, s) for p in prompts for s in range(job.samples) if (p.id, s) in todo]


def shots_of(job: ResponseJob, tokenizer: Any, context: int) -> Sequence[Example]:
    """The examples before each prompt of an in-context job; none of any other.

    Raises:
        InputError: it names no examples, or fewer fit than it asks for.
    """
    if job.style not in WITH_SHOTS:
        return ()
    if job.examples is None:
        raise InputError(f"--format {job.style} needs --examples")
    return drawn_shots(
        job.examples,
        job.fit_before or job.prompts,
        tokenizer,
        count=job.shots,
        context=context,
        max_tokens=job.decoding.max_tokens,
        seed=job.seed,
        style=job.style,
        choose=job.choose,
        given=job.given,
    )
