"""Ready-made files as examples: a data set or prompts that the user brings as JSON lines."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from limaflow.conversations import conversation, known_layout
from limaflow.errors import InputError, listed
from limaflow.foreign_json import json_rows
from limaflow.foreign_rows import chosen, joined, read_rows
from limaflow.format_checks.catalogue import checked_tags
from limaflow.records import Example, Message, Provenance, Split, example_id

EXAMPLE = TypeAdapter(Example)
Columns = Mapping[Literal["prompt", "prompt_id"], str | list[str]]


def prompts_in_columns(
    path: Path, columns: Columns, where: Mapping[str, str], split: Split
) -> list[Example]:
    """The prompts of a table or of JSON, sorted by id; a row that asks the same again adds its id.

    Args:
        columns: `prompt`, and `prompt_id` if there is one → what the file calls it.
        where: as of `chosen`.

    Raises:
        InputError: as `read_rows` and `chosen`; a column is missing, or a prompt is empty.
    """
    examples: dict[str, Example] = {}
    called = {ours: [t] if isinstance(t, str) else t for ours, t in columns.items()}
    for line, row in chosen(read_rows(path), where, path):
        try:
            text = joined(row, called.get("prompt", ["prompt"]))
            own = joined(row, called["prompt_id"]) if "prompt_id" in called else ""
        except KeyError as absent:
            what = f"no '{absent.args[0]}'; this row has {listed(row)}"
            raise InputError(what, path=path, line=line) from None
        if not text:
            raise InputError("an empty prompt", path=path, line=line)
        messages = (Message(role="user", content=text),)
        key = example_id(messages, None)
        before = examples[key].provenance.ids if key in examples else ()
        examples[key] = Example(
            id=key,
            messages=messages,
            source=path.stem,
            split=split,
            provenance=Provenance(ids=tuple(dict.fromkeys([*before, *filter(None, [own])]))),
        )
    return [examples[key] for key in sorted(examples)]


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
