"""Responses that someone made elsewhere, checked against the prompts and written as our records."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from limaflow.errors import InputError, listed
from limaflow.foreign_rows import at, chosen, joined, read_rows
from limaflow.generation.prompts import finder, read_prompts
from limaflow.generation.settings import ResponseLayout
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


PLAIN = ResponseLayout()
TABLES = {".csv", ".tsv", ".parquet", ".json"}
TEXTS = {"text", "response", "prompt_id", "prompt"}
FIELDS = {field.name for field in fields(Recorded)}
ROW = TypeAdapter(Recorded)


def adopt(
    name: str,
    prompts: Path,
    recorded: Path,
    *,
    samples: int,
    output: Path,
    layout: ResponseLayout = PLAIN,
) -> int:
    """Write the recorded responses as those of model `name`, and return their number.

    In a file that is read by a layout, such as one of verdicts, a response may stand in several
    rows, and rows on other prompts are passed over.

    Raises:
        InputError: names prompts that are not asked, asked but not answered, or answered twice.
    """
    asked = read_prompts(prompts)
    find = finder(asked)
    texts = Counter(example.prompt.strip() for example in asked)
    found: dict[tuple[str, int], Response] = {}
    counted: dict[str, int] = {}
    texts_found: dict[str, set[str]] = defaultdict(set)
    passed_over = 0
    for line, row in _rows(recorded, layout):
        alike = texts[(row.prompt or "").strip()]
        if row.prompt_id is None and alike > 1:
            raise InputError(
                f"{alike} prompts have this text, of which the answer's beginning or what follows "
                "differs",
                path=recorded,
                line=line,
                fix="name the prompt by `prompt_id`",
            )
        prompt_id = find(row.prompt_id or row.prompt or "")
        text = row.text if row.text is not None else row.response
        if text is None:
            raise InputError("holds neither `text` nor `response`", path=recorded, line=line)
        if prompt_id is None and layout != PLAIN:
            passed_over += 1
            continue
        if prompt_id is None:
            shown = row.prompt_id or (row.prompt or "")[:80]
            raise InputError(f"answers an unknown prompt: {shown!r}", path=recorded, line=line)
        if layout != PLAIN and row.sample is None and text in texts_found[prompt_id]:
            continue
        sample = counted.get(prompt_id, 0) if row.sample is None else row.sample
        counted[prompt_id] = counted.get(prompt_id, 0) + 1
        if sample >= samples:
            continue
        if (prompt_id, sample) in found:
            raise InputError(
                f"prompt {prompt_id} has sample {sample} twice", path=recorded, line=line
            )
        texts_found[prompt_id].add(text)
        found[prompt_id, sample] = Response(
            prompt_id=prompt_id,
            model=name,
            sample=sample,
            text=text,
            tokens=row.tokens,
            finish_reason=row.finish_reason,
            decoding={"engine": "recorded", **row.decoding},
        )
    if passed_over:
        print(f"{recorded}: {passed_over} rows on other prompts are passed over")
    _check_complete(asked, found, samples, recorded)
    return write_records(output, found.values(), key=lambda r: (r.prompt_id, r.sample))


def _rows(path: Path, layout: ResponseLayout) -> Iterator[tuple[int, Recorded]]:
    """Line and content of each row that the layout takes."""
    if layout == PLAIN and path.suffix not in TABLES:
        yield from enumerate(read_records(path, Recorded), start=1)
        return
    for line, row in chosen(read_rows(path), layout.where, path):
        try:
            called: dict[str, Any] = {
                ours: at(row, theirs) if isinstance(theirs, str) else joined(row, theirs)
                for ours, theirs in layout.columns.items()
            }
        except KeyError as absent:
            what = f"no '{absent.args[0]}'; this row has {listed(row)}"
            raise InputError(what, path=path, line=line) from None
        # What the file itself calls so is meant only where the layout names nothing.
        own = {} if layout.columns else row
        both: dict[str, Any] = {**own, **called}
        held = {key: value for key, value in both.items() if key in FIELDS}
        texts = {key: str(held[key]) for key in TEXTS & held.keys() if held[key] is not None}
        numbers = {key: held[key] for key in held.keys() - TEXTS if held[key] not in (None, "")}
        try:
            yield line, ROW.validate_python({**numbers, **texts})
        except ValidationError as refused:
            problem = refused.errors()[0]
            where = ".".join(map(str, problem["loc"]))
            raise InputError(f"{where}: {problem['msg']}", path=path, line=line) from None


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
