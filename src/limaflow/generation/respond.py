"""Responses of a model of ours to a file of prompts, one record each, resumed after a kill."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from tqdm import tqdm

from limaflow import fingerprint
from limaflow.errors import InputError
from limaflow.generation import local, served
from limaflow.generation.partial import Partial
from limaflow.generation.prompting import Format, Prompt, choose_shots, encoded
from limaflow.generation.prompts import read_prompts
from limaflow.generation.served import Answered
from limaflow.generation.settings import Decoding
from limaflow.jsonl import read_records
from limaflow.manifests import content_of, read_manifest, sha256_of
from limaflow.records import Example, Response
from limaflow.seeds import digest


@dataclass(frozen=True, kw_only=True)
class Request:
    """What `limaflow generate respond` was asked to do."""

    model: Path
    name: str
    style: Format
    examples: Path | None
    shots: int
    prompts: Path
    decoding: Decoding
    samples: int
    seed: int
    batch: int
    precision: Literal["fp32", "bf16"]
    engine: Literal["transformers", "vllm"]
    vllm: str
    """The executable, in an environment of its own."""
    max_length_share: float
    output: Path


def respond(request: Request) -> tuple[int, float]:
    """Write the responses and return their number and the share cut off by length.

    Raises:
        InputError: model or prompts that cannot be used, or too many responses cut off.
    """
    prompts = read_prompts(request.prompts)
    partial = Partial(request.output, _identity(request))
    wanted = {(p.id, sample) for p in prompts for sample in range(request.samples)}
    todo = wanted - partial.done.keys()
    if todo:
        _answer(request, prompts, todo, partial)
    return len(wanted), partial.publish(wanted, max_length_share=request.max_length_share)


def _identity(request: Request) -> str:
    """All that a response depends on; the batch does not count, nor does the number of samples."""
    return digest(
        content_of(request.model),
        request.name,
        request.style,
        [sha256_of(request.examples), request.shots] if request.examples else None,
        sha256_of(request.prompts),
        _decoding_facts(request),
        fingerprint.of("limaflow.generation.cli", "respond"),
    )


def _decoding_facts(request: Request) -> dict[str, Any]:
    """What a record says of how its response came about."""
    ours = request.engine == "transformers"
    return {
        **request.decoding.model_dump(mode="json", exclude={"samples"}),
        "engine": request.engine,
        "format": request.style,
        "penalized": "response" if ours else "prompt and response",
        "precision": request.precision,
        "seed": request.seed,
        "reproducible": ours and request.precision == "fp32",
    }


def _answer(
    request: Request, examples: Sequence[Example], todo: set[tuple[str, int]], partial: Partial
) -> None:
    total, facts = len(todo) + len(partial.done), _decoding_facts(request)
    engine = _by_vllm if request.engine == "vllm" else _by_transformers
    with tqdm(total=total, initial=len(partial.done), desc=request.name, unit="response") as bar:
        for answered in engine(request, examples, todo):
            partial.add(
                Response(
                    prompt_id=answered.prompt_id,
                    model=request.name,
                    sample=answered.sample,
                    text=answered.text,
                    tokens=answered.tokens,
                    finish_reason=answered.finish_reason,
                    decoding=facts,
                )
            )
            bar.update()


def _by_transformers(
    request: Request, examples: Sequence[Example], todo: set[tuple[str, int]]
) -> Iterator[Answered]:
    manifest, location = read_manifest(request.model)
    model = local.load(location, manifest.revision, request.precision)
    for row in local.respond(
        model,
        _wanted(request, examples, todo, model.tokenizer, model.context),
        decoding=request.decoding,
        style=request.style,
        batch=request.batch,
        seed=request.seed,
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
    request: Request, examples: Sequence[Example], todo: set[tuple[str, int]]
) -> Iterator[Answered]:
    manifest, location = read_manifest(request.model)
    model = served.load(location, manifest.revision)
    wanted = _wanted(request, examples, todo, model.tokenizer, model.context)
    with served.serving(request.vllm, location, manifest.revision, request.precision) as client:
        yield from served.respond(
            client,
            model,
            wanted,
            decoding=request.decoding,
            style=request.style,
            batch=request.batch,
            seed=request.seed,
        )


def _wanted(
    request: Request,
    examples: Sequence[Example],
    todo: set[tuple[str, int]],
    tokenizer: Any,
    context: int,
) -> list[tuple[Prompt, int]]:
    """The prompts as the model reads them, once for each response that is missing."""
    shots: Sequence[Example] = ()
    if request.style == "in-context":
        if request.examples is None:
            raise InputError("--format in-context needs --examples")
        # A response may take half the context; a shorter limit leaves the shots more.
        room = context - min(request.decoding.max_tokens, context // 2)
        shots = choose_shots(
            list(read_records(request.examples, Example)),
            examples,
            tokenizer,
            count=request.shots,
            room=room,
            seed=request.seed,
        )
    prompts = encoded(examples, tokenizer, request.style, shots=shots, context=context)
    return [(p, s) for p in prompts for s in range(request.samples) if (p.id, s) in todo]
