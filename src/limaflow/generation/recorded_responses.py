"""Responses that someone made elsewhere, checked against the prompts and written as our records."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from limaflow.errors import InputError
from limaflow.generation.prompts import read_prompts
from limaflow.jsonl import read_records, write_records
from limaflow.records import Example, FinishReason, Response

SHOWN = 5
"""Prompts named in an error message."""


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """A line of the file: which prompt, by id or text, and the answer; more keys may stand."""

    text: str | None = None
    response: str | None = None
    """The same as `text`, under the name that other tools give it."""
    prompt_id: str | None = None
    prompt: str | None = None
    sample: int | None = None
    """Counted in the file's order where it is not given."""
    tokens: int = 0
    finish_reason: FinishReason = "stop"
    decoding: dict[str, Any] = field(default_factory=dict)


def adopt(name: str, prompts: Path, recorded: Path, *, samples: int, output: Path) -> int:
    """Write the recorded responses as those of model `name`, and return their number.

    Raises:
        InputError: names prompts that are not asked, asked but not answered, or answered twice.
    """
    asked = read_prompts(prompts)
    by_text = {example.prompt.strip(): example.id for example in asked}
    known = {example.id for example in asked}
    texts = Counter(example.prompt.strip() for example in asked)
    found: dict[tuple[str, int], Response] = {}
    counted: dict[str, int] = {}
    for line, row in enumerate(read_records(recorded, Recorded), start=1):
        asked_text = (row.prompt or "").strip()
        if row.prompt_id is None and texts[asked_text] > 1:
            raise InputError(
                f"{texts[asked_text]} prompts have this text, of which the answer's beginning or "
                "what follows differs",
                path=recorded,
                line=line,
                fix="name the prompt by `prompt_id`",
            )
        prompt_id = row.prompt_id or by_text.get(asked_text, "")
        text = row.text if row.text is not None else row.response
        if text is None:
            raise InputError("holds neither `text` nor `response`", path=recorded, line=line)
        if prompt_id not in known:
            shown = row.prompt_id or (row.prompt or "")[:80]
            raise InputError(f"answers an unknown prompt: {shown!r}", path=recorded, line=line)
        sample = counted.get(prompt_id, 0) if row.sample is None else row.sample
        counted[prompt_id] = counted.get(prompt_id, 0) + 1
        if sample >= samples:
            continue
        if (prompt_id, sample) in found:
            raise InputError(
                f"prompt {prompt_id} has sample {sample} twice", path=recorded, line=line
            )
        found[prompt_id, sample] = Response(
            prompt_id=prompt_id,
            model=name,
            sample=sample,
            text=text,
            tokens=row.tokens,
            finish_reason=row.finish_reason,
            decoding={"engine": "recorded", **row.decoding},
        )
    _check_complete(asked, found, samples, recorded)
    return write_records(output, found.values(), key=lambda r: (r.prompt_id, r.sample))


def _check_complete(
    asked: list[Example], found: dict[tuple[str, int], Response], samples: int, path: Path
) -> None:
    missing = [
        f"{example.id} ({example.prompt[:40]!r})"
        for example in asked
        if any((example.id, sample) not in found for sample in range(samples))
    ]
    if missing:
        shown = ", ".join(missing[:SHOWN]) + (" …" if len(missing) > SHOWN else "")
        raise InputError(
            f"{len(missing)} of {len(asked)} prompts lack some of {samples} responses: {shown}",
            path=path,
        )
