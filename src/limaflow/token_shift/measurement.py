"""The job: draw responses of a model and look their tokens up in reference models.

A job that was killed goes on where it was. Batches are formed over all responses whatever is done
already, so that it then writes the bytes that an undisturbed one writes (in fp32 on a CPU).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tqdm import tqdm

from limaflow import fingerprint
from limaflow.errors import InputError
from limaflow.generation.kept_lines import KeptLines
from limaflow.generation.kept_responses import beside
from limaflow.generation.local import LocalModel, load
from limaflow.generation.named_model import named_model
from limaflow.generation.prompting import WITH_SHOTS, Format, Prompt, encoded
from limaflow.generation.prompts import read_prompts
from limaflow.generation.room import give_back
from limaflow.generation.settings import Decoding
from limaflow.jsonl import write_records
from limaflow.manifests import sha256_of
from limaflow.records import Example
from limaflow.seeds import digest, generator_for
from limaflow.token_shift.drawing import Drawn, drawn
from limaflow.token_shift.same_tokens import give_same_tokens
from limaflow.token_shift.scoring import Row, Scores, scored
from limaflow.token_shift.shifted_response import ShiftedResponse
from limaflow.token_shift.token_classes import WORDS, token_classes, token_texts

ROLES = ("base", "seed", "itself")
DIGITS = 6
"""Decimals of logarithms; rounding differs from machine to machine after them."""


@dataclass(frozen=True, kw_only=True)
class Reference:
    """A model in which the tokens are looked up."""

    name: str
    role: str
    model: str


@dataclass(frozen=True, kw_only=True)
class ShiftJob:
    """What `limaflow shift run` was asked."""

    model: str
    name: str
    style: Format
    references: Sequence[Reference]
    prompts: Path
    responses: int
    decoding: Decoding
    seed: int
    batch: int
    """Responses that are scored at once."""
    drawn_at_once: int
    precision: Literal["fp32", "bf16"]
    gpus: int
    output: Path


def measure(job: ShiftJob) -> list[ShiftedResponse]:
    """Write one record for each response and reference, and return them.

    Raises:
        InputError: models or prompts that cannot be used, or models whose token ids differ.
    """
    if job.style in WITH_SHOTS:
        raise InputError("token shift is of a model's own tokens", fix="use --format chat or raw")
    named = named_model(job.model)
    prompts = chosen_prompts(read_prompts(job.prompts), job.responses, job.seed)
    tuned = load(named.location, named.revision, job.precision, gpus=job.gpus)
    asked = encoded(prompts, tuned.tokenizer, job.style, context=tuned.context)
    drawing = digest(
        named.content,
        job.style,
        job.decoding.model_dump(mode="json"),
        job.seed,
        job.precision,
        sha256_of(job.prompts),
        job.responses,
        fingerprint.of("limaflow.token_shift.cli", "run"),
    )
    prompt_of = {prompt.id: prompt for prompt in asked}
    found_tokens = drawn(
        tuned,
        asked,
        decoding=job.decoding,
        style=job.style,
        batch=job.drawn_at_once,
        seed=job.seed,
        keep=beside(job.output, drawing),
    )
    responses = [(prompt_of[each.prompt_id], each) for each in found_tokens]
    found: list[ShiftedResponse] = []
    for reference in job.references:
        other = named_model(reference.model).content
        identity = digest(
            *(drawing, other, reference.name, reference.role, job.name, job.batch),
            sha256_of(WORDS),
        )
        found += _looked_up(job, tuned, responses, reference, beside(job.output, identity))
    found.sort(key=lambda r: (r.reference, r.prompt_id, r.sample))
    write_records(job.output, found)
    return found


def chosen_prompts(prompts: Sequence[Example], count: int, seed: int) -> list[Example]:
    """So many prompts drawn by seed, or all where there are no more, by id."""
    order = sorted(prompts, key=lambda prompt: prompt.id)
    generator_for(seed, "token shift").shuffle(order)
    return sorted(order[:count], key=lambda prompt: prompt.id)


def _looked_up(
    job: ShiftJob,
    tuned: LocalModel,
    responses: Sequence[tuple[Prompt, Drawn]],
    named: Reference,
    keep: Path,
) -> list[ShiftedResponse]:
    model = named_model(named.model)
    rows = sorted(responses, key=lambda row: (-len(row[0].tokens) - len(row[1].tokens), row[1].key))
    batches = [rows[start : start + job.batch] for start in range(0, len(rows), job.batch)]
    with KeptLines(keep, ShiftedResponse) as kept:
        done = {(r.prompt_id, r.sample): r for r in kept.records}
        left = [batch for batch in batches if any(its.key not in done for _, its in batch)]
        if left:
            other = load(model.location, model.revision, job.precision, gpus=job.gpus)
            give_same_tokens(other, tuned, named.name)
            bar = tqdm(total=len(rows), initial=len(done), desc=named.name, unit="response")
            with bar:
                for batch in left:
                    scores = scored(
                        tuned.model,
                        other.model,
                        [Row(prompt=prompt.tokens, response=its.tokens) for prompt, its in batch],
                        vocabulary=len(tuned.tokenizer),
                    )
                    new = [
                        _record(job, tuned, named, response, its)
                        for (_, response), its in zip(batch, scores, strict=True)
                        if response.key not in done
                    ]
                    kept.add(new)
                    done |= {(r.prompt_id, r.sample): r for r in new}
                    bar.update(len(new))
            del other
            give_back()
    return [done[response.key] for _, response in responses]


def _record(
    job: ShiftJob, tuned: LocalModel, reference: Reference, response: Drawn, scores: Scores
) -> ShiftedResponse:
    texts = token_texts(response.tokens, tuned.tokenizer)
    ends = [token in tuned.stops for token in response.tokens]
    return ShiftedResponse(
        prompt_id=response.prompt_id,
        sample=response.sample,
        model=job.name,
        reference=reference.name,
        role=reference.role,
        finish_reason=response.finish_reason,
        tokens=list(response.tokens),
        texts=texts,
        classes=token_classes(texts, ends),
        ranks=scores.ranks,
        own_ranks=scores.own_ranks,
        choice_ranks=scores.choice_ranks,
        log_probabilities=_rounded(scores.log_probabilities),
        own_log_probabilities=_rounded(scores.own_log_probabilities),
        divergences=_rounded(scores.divergences),
        instead=[
            "" if choice == token else tuned.tokenizer.decode([choice])
            for choice, token in zip(scores.reference_choices, response.tokens, strict=True)
        ],
    )


def _rounded(values: Sequence[float]) -> list[float]:
    return [round(value, DIGITS) for value in values]


def references_of(words: Sequence[str]) -> list[Reference]:
    """References from ROLE:NAME=MODEL words; `base` is the role of NAME=MODEL.

    Raises:
        InputError: a word is not of that form, a role is unknown, or two have one name.
    """
    found = []
    for word in words:
        left, equals, model = word.partition("=")
        role, colon, name = left.rpartition(":")
        if not (equals and model and name) or (colon and role not in ROLES):
            raise InputError(
                f"--reference {word!r} is not NAME=MODEL or ROLE:NAME=MODEL",
                fix=f"write e.g. --reference base=results/NAME/base/model.json; roles: {ROLES}",
            )
        found.append(Reference(name=name, role=role or "base", model=model))
    if len({reference.name for reference in found}) < len(found):
        raise InputError("two --reference have the same name")
    return found
