"""Responses of a local model to a file of prompts, one record each, resumed after a kill."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from tqdm import tqdm

from limaflow import fingerprint
from limaflow.config import Decoding
from limaflow.errors import InputError
from limaflow.generation import local
from limaflow.generation.partial import Partial
from limaflow.generation.prompting import Format, choose_shots, encoded
from limaflow.generation.prompts import read_prompts
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
    return {
        **request.decoding.model_dump(mode="json", exclude={"samples"}),
        "engine": "transformers",
        "format": request.style,
        "precision": request.precision,
        "seed": request.seed,
        "reproducible": request.precision == "fp32",
    }


def _answer(
    request: Request, examples: Sequence[Example], todo: set[tuple[str, int]], partial: Partial
) -> None:
    manifest, location = read_manifest(request.model)
    model = local.load(location, manifest.revision, request.precision)
    shots: Sequence[Example] = ()
    if request.style == "in-context":
        if request.examples is None:
            raise InputError("--format in-context needs --examples")
        # A response may take half the context; a shorter limit leaves the shots more.
        room = model.context - min(request.decoding.max_tokens, model.context // 2)
        shots = choose_shots(
            list(read_records(request.examples, Example)),
            examples,
            model.tokenizer,
            count=request.shots,
            room=room,
            seed=request.seed,
        )
    prompts = encoded(examples, model.tokenizer, request.style, shots=shots, context=model.context)
    pairs = [(p, s) for p in prompts for s in range(request.samples) if (p.id, s) in todo]
    total, facts = len(todo) + len(partial.done), _decoding_facts(request)
    with tqdm(total=total, initial=len(partial.done), desc=request.name, unit="response") as bar:
        for row in local.respond(
            model,
            pairs,
            decoding=request.decoding,
            style=request.style,
            batch=request.batch,
            seed=request.seed,
        ):
            assert row.finish_reason is not None
            partial.add(
                Response(
                    prompt_id=row.prompt.id,
                    model=request.name,
                    sample=row.sample,
                    text=row.text,
                    tokens=len(row.tokens),
                    finish_reason=row.finish_reason,
                    decoding=facts,
                )
            )
            bar.update()
