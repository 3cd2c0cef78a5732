"""Ready-made files as examples: a data set or prompts that the user brings as JSON lines."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from limaflow.conversations import conversation, known_layout
from limaflow.errors import InputError
from limaflow.foreign_json import json_rows
from limaflow.format_checks.catalogue import checked_tags
from limaflow.records import Example, Provenance, Split, example_id

EXAMPLE = TypeAdapter(Example)


def adopted(path: Path, split: Split) -> list[Example]:
    """The conversations of `path`, sorted by id; rows that are examples keep what they say.

    In "train", every conversation ends with a response.

    Raises:
        InputError: a row holds no conversation, lacks a response, or repeats another row.
    """
    examples: dict[str, Example] = {}
    for line, row in json_rows(path):
        example = _example(row, split, path, line)
        if split == "train" and example.messages[-1].role != "assistant":
            what = "the conversation does not end with a response"
            raise InputError(what, path=path, line=line, fix=known_layout(row))
        if example.id in examples:
            raise InputError("the same conversation stands twice", path=path, line=line)
        examples[example.id] = example
    if not examples:
        raise InputError("holds no conversation", path=path)
    return [examples[key] for key in sorted(examples)]


def _example(row: dict[str, Any], split: Split, path: Path, line: int) -> Example:
    try:
        tags = checked_tags(row)
        if row.keys() >= {"id", "messages", "source", "split"}:
            ready = EXAMPLE.validate_python({**row, "tags": None})
            return replace(ready, id=example_id(ready.messages, tags), split=split, tags=tags)
        messages = conversation(row)
    except ValidationError as error:
        problem = error.errors()[0]
        key = ".".join(map(str, problem["loc"]))
        raise InputError(f"{key}: {problem['msg']}", path=path, line=line) from None
    except ValueError as error:
        raise InputError(str(error), path=path, line=line) from None
    source, licence = (str(row.get(key) or "") for key in ("source", "licence"))
    return Example(
        id=example_id(messages, tags),
        messages=messages,
        source=source or path.stem,
        split=split,
        stratum=str(row.get("stratum") or ""),
        provenance=Provenance(
            ids=() if row.get("id") is None else (str(row["id"]),), licence=licence
        ),
        tags=tags,
    )
